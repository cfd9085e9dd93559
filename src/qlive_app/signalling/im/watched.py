"""Whether the IM cloud does its work, for operators; and trying again until it does."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from qlive_core.errors import ProviderUnavailable
from qlive_core.ports.clouds import ImCloud, ImSignals

_RETRY_S = 3.0


class WatchedIm:
    """The IM cloud, with a report when it fails and when it is back.

    ``report`` is told what is wrong, or "". A call that fails is reported at once; that all is well, only when it
    was asked for, so that a cloud which fails every other call is not said to be back all the time. Users get texts
    from the system user, whom the cloud has to know first.
    """

    def __init__(
        self, signals: ImSignals, cloud: ImCloud, report: Callable[[str], None], *, system_user_id: str
    ) -> None:
        self._signals = signals
        self._cloud = cloud
        self._report = report
        self._system_user_id = system_user_id
        self._healthy: bool | None = None
        self._failed = asyncio.Event()
        self._log = structlog.get_logger("qlive.im")
        report("has not answered yet")

    async def send(self, user_ids: Sequence[str], text: str) -> None:
        """As ImSignals.send."""
        try:
            await self._signals.send(user_ids, text)
        except ProviderUnavailable:
            self._note(healthy=False)
            raise

    async def user_token(self, user_id: str, *, nickname: str, avatar: str) -> str:
        """As ImCloud.user_token."""
        try:
            token = await self._cloud.user_token(user_id, nickname=nickname, avatar=avatar)
        except ProviderUnavailable:
            self._note(healthy=False)
            raise
        self._note(healthy=True)
        return token

    async def run(self) -> None:
        """Make the system user known, and whenever the cloud fails ask it until it answers. For ever."""
        while True:
            await self._ask()
            if self._healthy:
                self._failed.clear()
                await self._failed.wait()
            await asyncio.sleep(_RETRY_S)

    async def _ask(self) -> None:
        with suppress(ProviderUnavailable):
            await self.user_token(self._system_user_id, nickname=self._system_user_id, avatar="")

    def _note(self, *, healthy: bool) -> None:
        if healthy == self._healthy:
            return
        self._healthy = healthy
        if healthy:
            self._report("")
            self._log.info("im cloud answers")
        else:
            self._failed.set()
            self._report("does not answer; nobody is reached over IM")
            self._log.warning("im cloud does not answer")


_signals: type[ImSignals] = WatchedIm
_cloud: type[ImCloud] = WatchedIm
