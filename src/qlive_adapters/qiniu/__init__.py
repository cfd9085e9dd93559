"""Qiniu: text messages, RTC rooms and their streams, live streaming, and object storage.

Tokens and URLs are signed here, without a call; the rest goes over HTTP.
"""

from qlive_adapters.qiniu.authorization import QiniuAuth
from qlive_adapters.qiniu.play_security import PlaySecurity
from qlive_adapters.qiniu.publish_security import Expiry, ExpirySk, PublishSecurity, StaticKey
from qlive_adapters.qiniu.rtc import QiniuRtc
from qlive_adapters.qiniu.rtc_rooms import QiniuRtcRooms
from qlive_adapters.qiniu.signing import Credentials
from qlive_adapters.qiniu.sms import QiniuSms
from qlive_adapters.qiniu.storage import QiniuUploadTokens
from qlive_adapters.qiniu.stream_jobs import QiniuStreamJobs
from qlive_adapters.qiniu.stream_urls import PlayUrls, PublishUrls
from qlive_adapters.qiniu.streams import QiniuStreams

__all__ = [
    "Credentials",
    "Expiry",
    "ExpirySk",
    "PlaySecurity",
    "PlayUrls",
    "PublishSecurity",
    "PublishUrls",
    "QiniuAuth",
    "QiniuRtc",
    "QiniuRtcRooms",
    "QiniuSms",
    "QiniuStreamJobs",
    "QiniuStreams",
    "QiniuUploadTokens",
    "StaticKey",
]
