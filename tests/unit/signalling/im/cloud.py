"""The IM cloud as its callers see it, with all its moods; everything that it takes is written down."""

import asyncio
from collections.abc import Sequence

from attrs import frozen

from qlive_core.errors import ProviderUnavailable


@frozen
class Sent:
    """A call that was taken, begun ``at`` by the loop's time."""

    at: float
    user_ids: tuple[str, ...]
    text: str


class MoodyCloud:
    """Takes ``takes_s`` seconds for each call, and refuses those that name anybody in ``refuses``, or all."""

    def __init__(self, *, takes_s: float = 0.05) -> None:
        self.takes_s = takes_s
        self.refuses: set[str] = set()
        self.is_down = False
        self.calls = 0
        self.at_once = 0
        self.most_at_once = 0
        self.sent: list[Sent] = []

    async def send(self, user_ids: Sequence[str], text: str) -> None:
        """Take the text for these users."""
        began = asyncio.get_running_loop().time()
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        if self.is_down or not self.refuses.isdisjoint(user_ids):
            raise ProviderUnavailable("moody")
        self.sent.append(Sent(began, tuple(user_ids), text))

    def told(self, user_id: str) -> list[str]:
        """Return what this user was told, in order."""
        return [sent.text for sent in self.sent if user_id in sent.user_ids]
