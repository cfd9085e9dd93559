"""A fake of RongCloud IM: its server API, its calls back, and the clients that make them happen."""

from qlive_app.fakes.rongcloud.callbacks import Delivery, Manners
from qlive_app.fakes.rongcloud.client import ClientRefused, FakeClient
from qlive_app.fakes.rongcloud.cloud import FakeRongCloud
from qlive_app.fakes.rongcloud.knobs import RongCloudKnobs
from qlive_app.fakes.rongcloud.messages import Message

__all__ = [
    "ClientRefused",
    "Delivery",
    "FakeClient",
    "FakeRongCloud",
    "Manners",
    "Message",
    "RongCloudKnobs",
]
