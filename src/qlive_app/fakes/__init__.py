"""Clouds that run on this machine: real servers that check signatures as the vendors do and misbehave on request.

For tests, and for developing without internet. Nothing here imports the adapters: the vendors' rules are written
down a second time, so that a mistake cannot hide by being made on both sides.
"""

from qlive_app.fakes.qiniu import FakeQiniu
from qlive_app.fakes.rongcloud import FakeRongCloud
from qlive_app.fakes.serving import Fault

__all__ = ["FakeQiniu", "FakeRongCloud", "Fault"]
