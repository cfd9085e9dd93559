"""Instant messages over HTTP: the client's token, and what IM clouds call."""

from attrs import frozen

from qlive_app.http.answers import ImTokenAnswer, NothingAnswer
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation, Parameter
from qlive_app.http.replies import Reply, json_reply
from qlive_app.services import Services
from qlive_core.errors import BadRequest, NotFound, ProviderUnavailable

_PROVIDER = Parameter(
    name="provider",
    within="path",
    required=True,
    doc="The IM cloud.",
    schema={"type": "string", "enum": ["rongcloud"]},
)
_HEARD = json_reply(NothingAnswer())


@frozen
class ImRoutes:
    """Everything about instant messages."""

    services: Services

    async def user_token(self, call: Call) -> Reply:
        account = await self.services.sessions.account(call.user_id)
        token = await self.services.im.user_token(
            account.id, nickname=account.nickname, avatar=account.avatar
        )
        return json_reply(ImTokenAnswer(user_id=call.user_id, token=token))

    async def hear(self, call: Call) -> Reply:
        """Answer a cloud that is not in use; vendors repeat what is answered otherwise."""
        if call.path.endswith("/"):
            raise NotFound  # alone among all routes these have no variant with a slash
        if call.path_parameter("provider") != "rongcloud":
            raise BadRequest("unsupported IM provider")
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
                refusals=(BadRequest,),
                run=self.hear,
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
                refusals=(BadRequest,),
                run=self.hear,
            ),
        )
