"""Instant messages over HTTP: the client's token, and what IM clouds call."""

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import frozen

from qlive_app.http.answers import ImTokenAnswer, NothingAnswer
from qlive_app.http.bodies import read_bytes
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation, Parameter
from qlive_app.http.replies import Reply, json_reply
from qlive_app.services import Services
from qlive_core.errors import BadRequest, NotFound, ProviderUnavailable, Unauthenticated

_PROVIDER = Parameter(
    name="provider",
    within="path",
    required=True,
    doc="The IM cloud.",
    schema={"type": "string", "enum": ["rongcloud"]},
)
_REPORT_MAX_BYTES = 1024 * 1024
"""More than a request of a user may have: a cloud reports many comings and goings at once, and has signed for it."""
_HEARD = json_reply(NothingAnswer())


class ImListener(Protocol):
    """Takes what the IM cloud reports. Nothing of it waits."""

    def recognises(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Tell whether it is the cloud that calls."""
        ...

    def take_messages(self, body: bytes) -> None:
        """Take a report of messages."""
        ...

    def take_statuses(self, body: bytes) -> None:
        """Take a report of comings and goings."""
        ...

    def take_oversized(self) -> None:
        """Take note of a report that was too long to be read, or never came in full."""
        ...


@frozen
class ImRoutes:
    """Everything about instant messages. ``listener`` is there if the IM cloud is in use."""

    services: Services
    listener: ImListener | None

    async def user_token(self, call: Call) -> Reply:
        account = await self.services.sessions.account(call.user_id)
        token = await self.services.im.user_token(
            account.id, nickname=account.nickname, avatar=account.avatar
        )
        return json_reply(ImTokenAnswer(user_id=call.user_id, token=token))

    async def hear_messages(self, call: Call) -> Reply:
        return await self._hear(call, lambda listener, body: listener.take_messages(body))

    async def hear_statuses(self, call: Call) -> Reply:
        return await self._hear(call, lambda listener, body: listener.take_statuses(body))

    async def _hear(self, call: Call, take: Callable[[ImListener, bytes], None]) -> Reply:
        """Answer at once and always alike, for clouds repeat what is answered otherwise, and then pause."""
        if call.path.endswith("/"):
            raise NotFound  # alone among all routes these have no variant with a slash
        if call.path_parameter("provider") != "rongcloud":
            raise BadRequest("unsupported IM provider")
        if self.listener is None:
            return _HEARD
        if not self.listener.recognises(call.query(), call.headers()):
            raise Unauthenticated
        try:
            body = await read_bytes(call.receive, _REPORT_MAX_BYTES)
        except BadRequest:
            self.listener.take_oversized()
        else:
            take(self.listener, body)
        return _HEARD

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (
            Operation(
                method="POST",
                path="/v1/im_user_token",
                name="imUserToken",
                tag="im",
                summary="Get a token for the IM cloud",
                answer=ImTokenAnswer,
                refusals=(ProviderUnavailable,),
                run=self.user_token,
            ),
            Operation(
                method="POST",
                path="/v1/im_messages/{provider}",
                name="imMessages",
                tag="im",
                summary="For the IM cloud: a message was sent",
                authorised=False,
                parameters=(_PROVIDER,),
                answer=NothingAnswer,
                refusals=(BadRequest, Unauthenticated),
                run=self.hear_messages,
            ),
            Operation(
                method="POST",
                path="/v1/im_user_status/{provider}",
                name="imUserStatus",
                tag="im",
                summary="For the IM cloud: users came or went",
                authorised=False,
                parameters=(_PROVIDER,),
                answer=NothingAnswer,
                refusals=(BadRequest, Unauthenticated),
                run=self.hear_statuses,
            ),
        )
