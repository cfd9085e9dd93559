"""The fake of RongCloud as a whole."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

from qlive_app.fakes.keys import RONGCLOUD
from qlive_app.fakes.rongcloud.answers import Wrong, failure, of_status
from qlive_app.fakes.rongcloud.callbacks import Callbacks
from qlive_app.fakes.rongcloud.chatrooms import ChatRooms
from qlive_app.fakes.rongcloud.client import ClientRefused, FakeClient
from qlive_app.fakes.rongcloud.gate import check
from qlive_app.fakes.rongcloud.knobs import RongCloudKnobs
from qlive_app.fakes.rongcloud.limits import Rate
from qlive_app.fakes.rongcloud.messages import Message
from qlive_app.fakes.rongcloud.people import People
from qlive_app.fakes.rongcloud.presence import Presence
from qlive_app.fakes.rongcloud.publishing import Publishing
from qlive_app.fakes.rongcloud.remote import Remote
from qlive_app.fakes.serving.fake import LOOPBACK, Fake
from qlive_app.fakes.serving.faults import Fault
from qlive_app.fakes.serving.routes import Routes
from qlive_app.fakes.serving.wire import Answer, Request


class FakeRongCloud(Fake):
    """RongCloud at two addresses that share everything: ``listeners[0]`` and its backup, ``listeners[1]``.

    ``application`` is the address of the qlive that is called back; without it nobody is, until ``callbacks`` is
    given URLs.
    """

    NAME = "rongcloud"
    knobs: RongCloudKnobs

    def __init__(
        self,
        *,
        host: str = LOOPBACK,
        ports: Sequence[int] = (0, 0),
        seed: int = 0,
        application: str | None = None,
    ) -> None:
        super().__init__(host=host, ports=ports, seed=seed, knobs=RongCloudKnobs())
        self.keys = RONGCLOUD
        self.callbacks = Callbacks(self.keys, self.clock, application)
        self.presence = Presence()
        self.people = People(self.knobs, self.clock, self.presence)
        self.chatrooms = ChatRooms(self.knobs, self.clock)
        self._rate = Rate()
        self._routes = Routes()
        self._telling: asyncio.Task[None] | None = None
        self.people.routes(self._routes)
        self.chatrooms.routes(self._routes)
        Publishing(self.chatrooms, self.presence, self.clock).routes(self._routes)
        Remote(self.connect, self.presence, self.callbacks).routes(self.control)

    async def __aenter__(self) -> Self:
        """Listen on both addresses, and call back."""
        await super().__aenter__()
        self._telling = asyncio.create_task(self.callbacks.run())
        return self

    async def __aexit__(self, *reason: object) -> None:
        """Break everything off; what was not told is not told any more."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
        await super().__aexit__(*reason)

    def connect(self, token: str, *, source: str = "Android") -> FakeClient:
        """Connect a device with a user's token.

        Raises ClientRefused: 31004 the token is not good, 31009 the user is blocked.
        """
        user = self.people.of_token(token)
        if user is None:
            raise ClientRefused(31004, "the token is not good")
        if self.people.is_blocked(user):
            raise ClientRefused(31009, f"{user.id} is blocked")
        return FakeClient(
            user.id,
            source,
            rooms=self.chatrooms,
            presence=self.presence,
            callbacks=self.callbacks,
            knobs=self.knobs,
            clock=self.clock,
        )

    def received(self, user_id: str) -> list[Message]:
        """Return what was brought to a user or waits for him, oldest first."""
        return self.presence.received(user_id)

    async def serve(self, request: Request) -> Answer:
        """Answer as the vendor would."""
        try:
            check(request, self.keys, nonce_max=self.knobs.nonce_max)
            if self._rate.exceeds(request.path, self.knobs.calls_per_s, self.clock.now()):
                raise Wrong(1008, "too many calls")  # noqa: TRY301 -- refused like everything else
            found = self._routes.find(request)
            if found is None:
                raise Wrong(404, "no such call, or not part of this fake")  # noqa: TRY301
            handler, parameters = found
            return await handler(request, parameters)
        except Wrong as wrong:
            return failure(wrong.code, str(wrong))

    def instead(self, fault: Fault) -> Answer:
        """Return the fault's answer in the vendor's form, with the code that goes with its status."""
        if fault.body is not None:
            return Answer(fault.status, fault.body.encode())
        return of_status(fault.status, "told to fail")

    def holds(self) -> Mapping[str, object]:
        """Return what it holds, as JSON."""
        return {
            "users": {
                each.id: {
                    "name": each.name,
                    "online": self.presence.is_online(each.id),
                    "received": len(self.received(each.id)),
                }
                for each in self.people.users.values()
            },
            "chatrooms": self.chatrooms.holds(),
            "called back": [
                f"{each.event.about}: {', '.join(each.tries)}" for each in self.callbacks.deliveries
            ],
        }
