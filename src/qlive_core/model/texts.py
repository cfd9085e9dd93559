"""What users write about themselves and to the operators: how long it may be, and what may stand in it.

Whatever a user writes is shown to others, sent to vendors and kept. So each kind of text has a bound, in characters,
which is checked on the way in and refused, never cut without a word. Texts from before there were bounds are cut when
they are read.
"""

import unicodedata

from attrs import frozen

from qlive_core.errors import BadRequest

_LAYOUT = frozenset("\n\r\t")


@frozen
class TextKind:
    """One kind of text: what users call it, and the most characters that it may have.

    With ``lines`` it may have line breaks and tabs; other control characters are never allowed.
    """

    name: str
    most: int
    lines: bool = False

    def checked(self, text: str) -> str:
        """Return the text. Raises BadRequest if it is too long or has characters that it may not have."""
        if len(text) > self.most:
            raise BadRequest(f"{self.name} is longer than {self.most} characters")
        if any(unicodedata.category(c) == "Cc" and not (self.lines and c in _LAYOUT) for c in text):
            raise BadRequest(f"{self.name} has control characters")
        return text

    def cut(self, text: str) -> str:
        """Return as much of the text as it may have, for those that were taken before there was a bound."""
        return text[: self.most]


NICKNAME = TextKind("nickname", 64)
GENDER = TextKind("gender", 16)
AVATAR = TextKind("avatar", 1024)
"""A URL, or a name that the apps know."""
FEEDBACK = TextKind("content", 5000, lines=True)
ATTACHMENT = TextKind("attachment", 1024)
FILENAME = TextKind("filename", 750)
"""The most bytes that the object storage takes as a key; a character has at least one."""
