"""Signed play URLs: the time stamp that keeps strangers from embedding a stream.

Source: the vendor's SDKs (``SignPlayURL``). The signature is the MD5 of a text that a rule describes; rule, names of
the parameters and base are those that the play domain was given. Under ``tsExpireMD5`` the time stamp is when the URL
expires, under ``tsStartMD5`` when its validity began; what is signed is the same.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from attrs import field, frozen

_VARIABLE = re.compile(r"\$\((\w+)\)")

Base = Literal["10", "16"]


@frozen(kw_only=True)
class PlaySecurity:
    """How a play domain checks URLs.

    The ``rule`` may name ``$(key)``, ``$(path)``, ``$(streamKey)``, ``$(streamTitle)``, ``$(path_1)`` and on, and any
    parameter of the URL, the time stamp among them, as ``$(_name)``.
    """

    key: str = field(repr=False)
    rule: str = "$(key)$(path)$(_t)"
    time_parameter: str = "t"
    sign_parameter: str = "sign"
    base: Base = "16"

    def sign(self, url: str, timestamp: int) -> str:
        """Return ``url`` with its signature. Raises ValueError if the rule names what there is not."""
        parts = urlsplit(url)
        query = dict(reversed(parse_qsl(parts.query, keep_blank_values=True)))
        query.pop(self.sign_parameter, None)
        query[self.time_parameter] = format(timestamp, "x" if self.base == "16" else "d")
        text = self._text(_variables(parts, query, self.key))
        # The vendor's scheme is MD5; the key in the text is what keeps it secret.
        query[self.sign_parameter] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return parts._replace(query=urlencode(sorted(query.items()))).geturl()

    def _text(self, variables: Mapping[str, str]) -> str:
        try:
            return _VARIABLE.sub(lambda match: variables[match[1]], self.rule)
        except KeyError as error:
            raise ValueError(f"the rule names {error}, which the URL does not have") from None


def _variables(parts: SplitResult, query: Mapping[str, str], key: str) -> Mapping[str, str]:
    path = parts.path
    directory, slash, file = path.rpartition("/")
    stream_key = f"{directory}{slash}{file.rpartition('.')[0] or file}".removeprefix("/")
    hub, slash, title = stream_key.partition("/")
    return {
        "key": key,
        "path": path,
        "streamKey": stream_key,
        "streamTitle": title if slash else hub,
        **{f"path_{level}": part for level, part in enumerate(path.split("/")) if level},
        **{f"_{name}": value for name, value in query.items()},
    }
