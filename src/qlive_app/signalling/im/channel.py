"""Signalling over IM as a whole, and how it ends."""

from attrs import frozen

from qlive_app.signalling.im.callbacks import ImCallbacks
from qlive_app.signalling.im.inbox import ImInbox
from qlive_app.signalling.im.outbox import ImOutbox
from qlive_app.signalling.im.pinger import ImPinger
from qlive_app.signalling.im.watched import WatchedIm

_HANDLE_WITHIN_S = 1.0
_SEND_WITHIN_S = 1.0


@frozen(kw_only=True)
class ImChannel:
    """The parts of signalling over IM."""

    callbacks: ImCallbacks
    inbox: ImInbox
    outbox: ImOutbox
    pinger: ImPinger
    cloud: WatchedIm

    async def drain(self) -> None:
        """Handle what was heard and send what is to be said, as far as that is done soon. Nothing must come any more."""
        await self.inbox.drain(_HANDLE_WITHIN_S)
        await self.outbox.drain(_SEND_WITHIN_S)
