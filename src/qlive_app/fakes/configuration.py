"""The configuration with which a qlive uses the fakes as if they were the clouds."""

from typing import Any
from urllib.parse import urlsplit

from qlive_app.fakes.qiniu import FakeQiniu
from qlive_app.fakes.qiniu.rtc import APP
from qlive_app.fakes.qiniu.sms import SIGNATURE, TEMPLATE
from qlive_app.fakes.rongcloud import FakeRongCloud

# Those that `qlive demo` plays with; every other phone gets its codes by message.
_FIXED_CODES = dict.fromkeys(("13800000001", "13800000002", "13800000003"), "123456")


def clouds(qiniu: FakeQiniu, rongcloud: FakeRongCloud) -> dict[str, Any]:
    """Return the sections of a configuration file that select the clouds and point at these fakes."""
    pair = {"access_key": qiniu.keys.key, "secret_key": qiniu.keys.secret}
    return {
        "sms": {
            "provider": "qiniu",
            "qiniu_sms": {
                "key_pair": pair,
                "signature_id": SIGNATURE,
                "template_id": TEMPLATE,
                "api_host": qiniu.url,
            },
        },
        "rtc": {
            "provider": "qiniu",
            "app_id": APP,
            "key_pair": pair,
            "play_host": "play.example.com",
            "publish_host": "publish.example.com",
            "publish_hub": qiniu.pili.hub,
            "compose_pk": True,
            "api_host": qiniu.url,
            "pili_api_host": qiniu.url,
        },
        "storage": {"key_pair": pair, "bucket": qiniu.kodo.bucket, "url_prefix": f"{qiniu.url}/files"},
        "im": {
            "provider": "rongcloud",
            "rongcloud": {
                "app_key": rongcloud.keys.key,
                "app_secret": rongcloud.keys.secret,
                "api_hosts": [each.url for each in rongcloud.listeners],
            },
        },
    }


def whole(qiniu: FakeQiniu, rongcloud: FakeRongCloud, application: str) -> dict[str, Any]:
    """Return a whole configuration, of a server at ``application`` on the embedded store."""
    parts = urlsplit(application)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    sections = clouds(qiniu, rongcloud)
    return {
        "listen_addr": f"{host}:{port}",
        "websocket_conf": {"listen_addr": f"{host}:{port + 2}"},
        "store": {"provider": "sqlite", "path": "data/qlive-fakes.db"},
        **sections,
        "sms": {**sections["sms"], "fixed_codes": _FIXED_CODES},
    }
