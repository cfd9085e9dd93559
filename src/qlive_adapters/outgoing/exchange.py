"""What is asked of a vendor, and what it answers."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import field, frozen

T = TypeVar("T")


@frozen
class Operation:
    """One kind of call, and how it may be treated.

    ``idempotent`` says that doing it twice is doing it once. ``budget_s`` bounds a call as a whole, with its
    waits and its retries. If ``wait_if_limited_s`` is given, a call that the vendor refused for being one too
    many is tried once more so many seconds later, a little jittered; that is safe, for it was not done.
    """

    name: str
    idempotent: bool = field(kw_only=True)
    budget_s: float = field(default=5.0, kw_only=True)
    wait_if_limited_s: float | None = field(default=None, kw_only=True)


@frozen
class Request:
    """What is sent. ``path`` is put behind the host's address and is already encoded, its query included."""

    method: str
    path: str
    content: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)


@frozen
class Answer:
    """What came back, whatever its status; ``request_id`` is the vendor's name for this exchange, or "" ."""

    status: int
    content: bytes = field(repr=False)
    request_id: str = ""


Reader = Callable[[Answer], T]
"""Makes a result of an answer.

Sees every answer, so it judges the status too. Raises Unsuccessful; the layer itself takes msgspec's errors in
decoding for FAILED.
"""
