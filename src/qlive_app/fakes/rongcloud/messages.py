"""Messages as they are stored and delivered."""

import json
import secrets
from typing import Literal

from attrs import frozen

Channel = Literal["PERSON", "TEMPGROUP", "NOTIFY"]
TEXT = "RC:TxtMsg"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


@frozen(kw_only=True)
class Message:
    """One message: to a person, to a chat room (TEMPGROUP), or from the system to a person (NOTIFY).

    ``content`` is the JSON text as it was sent; ``stored`` says whether it waits for a user who is not online.
    """

    uid: str
    channel: Channel
    sender: str
    target: str
    object_name: str
    content: str
    at_ms: int
    stored: bool = True

    @property
    def text(self) -> str:
        """What a text message says; empty if the content is not that of one."""
        try:
            found = json.loads(self.content)
        except ValueError:
            return ""
        return str(found.get("content", "")) if isinstance(found, dict) else ""

    @property
    def told(self) -> str:
        """The message in a line, for the person who watches."""
        said = self.text if self.object_name == TEXT else ""
        return f"{self.sender} to {self.target}: {said or f'{self.object_name} {self.content}'}"


def new_uid() -> str:
    """Return a message id in the vendor's form, XXXX-XXXX-XXXX-XXXX; ids of later messages are not greater."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def text_content(text: str) -> str:
    """Return the content of a text message."""
    return json.dumps({"content": text, "extra": ""}, ensure_ascii=False, separators=(",", ":"))
