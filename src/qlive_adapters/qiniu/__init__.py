"""Qiniu: what is signed locally with an account's key pair, without a call to the cloud."""

from qlive_adapters.qiniu.rtc import QiniuRtc
from qlive_adapters.qiniu.signing import Credentials
from qlive_adapters.qiniu.storage import QiniuUploadTokens

__all__ = ["Credentials", "QiniuRtc", "QiniuUploadTokens"]
