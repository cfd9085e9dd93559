"""The code that a phone was sent, and how often codes may be sent."""

import hashlib
import hmac
import re

from attrs import evolve, frozen

HOUR_S = 3600.0
DAY_S = 86400.0
_AHEAD_S = 60.0

_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)


def is_phone_number(text: str) -> bool:
    """Tell whether the whole of ``text`` is a mainland mobile number."""
    return _PHONE.fullmatch(text) is not None


def masked_phone(phone: str) -> str:
    """Return the phone with its middle hidden, or nothing but the mask if it is too short to have one."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 10 else "****"


def hash_code(phone: str, salt: str, code: str) -> str:
    """Return what is stored in place of ``code``."""
    return hashlib.sha256(f"{phone}:{salt}:{code}".encode()).hexdigest()


@frozen
class SmsCode:
    """The one live code of a phone, and when codes were sent to it during the last day.

    The history lies in the same fact as the code, so that one write both sends and counts.
    ``attempts_left`` is 0 when the code was used or guessed at too often.
    """

    phone: str
    salt: str
    code_hash: str
    expires_at: float
    attempts_left: int
    sent_at: tuple[float, ...]
    rev: int = 1

    def is_live(self, now: float) -> bool:
        """Tell whether the code could still be used."""
        return self.attempts_left > 0 and now < self.expires_at

    def matches(self, code: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.code_hash, hash_code(self.phone, self.salt, code))

    def used(self) -> "SmsCode":
        """Return the fact after the code has done its work: it works once."""
        return evolve(self, attempts_left=0)

    def missed(self) -> "SmsCode":
        """Return the fact after a wrong guess."""
        return evolve(self, attempts_left=self.attempts_left - 1)


@frozen
class SendQuota:
    """When codes were asked for from one client address during the last hour."""

    address: str
    sent_at: tuple[float, ...]
    rev: int = 1


def recent(sent_at: tuple[float, ...], *, now: float, within_s: float) -> tuple[float, ...]:
    """Return those times that lie less than ``within_s`` seconds back.

    What lies further ahead than requests wait for one another was noted by a process whose clock was wrong; it
    counts for nothing, as it might for ever.
    """
    return tuple(at for at in sent_at if -_AHEAD_S < now - at < within_s)
