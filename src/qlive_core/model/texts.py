"""What users write about themselves and to the operators: how long it may be, and what may stand in it.

Whatever a user writes is shown to others, sent to vendors and kept. So each kind of text has a bound, in characters,
which is checked on the way in and refused, never cut without a word. Texts from before there were bounds are cut when
they are read.
"""

import re

from attrs import frozen

from qlive_core.errors import BadRequest

# Beside control characters: what turns the direction of writing around, and lone surrogates.
_ODD = "\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_FORBIDDEN = re.compile(f"[{_ODD}]")
_FORBIDDEN_IN_LINES = re.compile(f"(?![\t\n\r])[{_ODD}]")
_REPLACEMENT = "\ufffd"


def is_clean(text: str) -> bool:
    """Tell whether a text of one line has nothing in it that it may not have."""
    return text.isprintable() or _FORBIDDEN.search(text) is None


@frozen
class TextKind:
    """One kind of text: what users call it, and the most characters that it may have.

    With ``lines`` it may have line breaks and tabs. Other control characters, characters that turn the direction
    of writing around, and lone surrogates are never allowed.
    """

    name: str
    most: int
    lines: bool = False

    def checked(self, text: str) -> str:
        """Return the text. Raises BadRequest if it is too long or has characters that it may not have."""
        if len(text) > self.most:
            raise BadRequest(f"{self.name} is longer than {self.most} characters")
        if self._forbidden.search(text):
            raise BadRequest(f"{self.name} has control characters")
        return text

    def cut(self, text: str) -> str:
        """Return as much of the text as it may have, for those that were taken before there was a bound.

        What may not stand in it becomes U+FFFD, a line end a blank.
        """
        text = text[: self.most]
        # Nearly every text is printable, and asking that is many times cheaper.
        if text.isprintable():
            return text
        return self._forbidden.sub(lambda odd: " " if odd[0] in "\t\n\r" else _REPLACEMENT, text)

    @property
    def _forbidden(self) -> re.Pattern[str]:
        return _FORBIDDEN_IN_LINES if self.lines else _FORBIDDEN


NICKNAME = TextKind("nickname", 64)
GENDER = TextKind("gender", 16)
AVATAR = TextKind("avatar", 1024)
"""A URL, or a name that the apps know."""
FEEDBACK = TextKind("content", 5000, lines=True)
ATTACHMENT = TextKind("attachment", 1024)
STORED_ATTACHMENT = TextKind("attachment", 4096)
"""With the operators' address in front."""
FILENAME = TextKind("filename", 750)
"""The most bytes that the object storage takes as a key; a character has at least one."""
