"""What users tell the operators."""

import ipaddress
import re

from attrs import field, frozen

from qlive_core.model.texts import FEEDBACK, STORED_ATTACHMENT

_SCHEME = re.compile(r"https?://")
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
)
_HOST_AND_PORT = re.compile(r"[^:/]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}")


def _content(text: str) -> str:
    return FEEDBACK.cut(text)


def _attachment(text: str) -> str:
    return STORED_ATTACHMENT.cut(text)


@frozen
class Feedback:
    """One message to the operators. ``attachment`` is a URL or empty; ``sent_at`` is in Unix seconds."""

    sender: str
    content: str = field(converter=_content)
    attachment: str = field(converter=_attachment)
    sent_at: float


def attachment_url(attachment: str, url_prefix: str) -> str:
    """Return where the attachment can be fetched: a bare key gets ``url_prefix`` in front.

    What already names a host is left alone: a dotted domain, an IP address or host:port, followed by a slash.
    """
    if not attachment or _names_a_host(attachment):
        return attachment
    return f"{url_prefix}/{attachment}"


def _names_a_host(attachment: str) -> bool:
    host, slash, _ = _SCHEME.sub("", attachment, count=1).partition("/")
    if not slash:
        return False
    return bool(_DOMAIN.fullmatch(host) or _HOST_AND_PORT.fullmatch(host)) or _is_ip_address(host)


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
