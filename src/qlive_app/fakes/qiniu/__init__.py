"""A fake of Qiniu: short messages, RTC, live streaming and file storage, all at one address."""

from qlive_app.fakes.qiniu.cloud import FakeQiniu
from qlive_app.fakes.qiniu.knobs import QiniuKnobs

__all__ = ["FakeQiniu", "QiniuKnobs"]
