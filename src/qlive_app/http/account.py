"""Accounts and sessions over HTTP."""

from collections.abc import Sequence

from attrs import frozen

from qlive_app.config.kinds import Network
from qlive_app.http.answers import LoginAnswer, Person, person
from qlive_app.http.call import Call
from qlive_app.http.client_address import client_address, limit_key
from qlive_app.http.operations import Operation, Parameter
from qlive_app.http.replies import DONE, Reply, json_reply
from qlive_app.http.schemas import LoginBody, ProfileBody
from qlive_app.services import Services
from qlive_core.errors import (
    InvalidPhoneNumber,
    ProviderUnavailable,
    SmsCodeLimited,
    UnsupportedLoginType,
    WrongSmsCode,
)

_LOGIN_TYPE = "smscode"


@frozen
class AccountRoutes:
    """Everything about who the caller is."""

    services: Services
    trusted_proxies: Sequence[Network]

    async def send_sms_code(self, call: Call) -> Reply:
        await self.services.codes.send(call.query().get("phone_number"), self._limited_as(call))
        return DONE

    async def login(self, call: Call, body: LoginBody) -> Reply:
        outcome = await self.services.sessions.login(body.phone, body.code, self._limited_as(call))
        self.services.effects.run(outcome.effects)
        reply = outcome.reply
        account = reply.account
        call.user_id = account.id
        return json_reply(
            LoginAnswer(
                id=account.id,
                nickname=account.nickname,
                gender=account.gender,
                avatar=account.avatar,
                token=reply.token,
                status=reply.status.value,
                room=reply.room_id,
            )
        )

    def _limited_as(self, call: Call) -> str:
        client = call.scope["client"]
        peer = client[0] if client else ""
        return limit_key(client_address(peer, call.scope["headers"], self.trusted_proxies))

    async def profile(self, call: Call, body: ProfileBody) -> Reply:
        account = await self.services.sessions.update_profile(
            call.user_id, nickname=body.nickname, gender=body.gender, avatar=body.avatar
        )
        return json_reply(person(account.id, account))

    async def logout(self, call: Call) -> Reply:
        outcome = await self.services.sessions.logout(call.token())
        self.services.effects.run(outcome.effects)
        return DONE

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (
            Operation(
                method="POST",
                path="/v1/send_sms_code",
                name="sendSmsCode",
                tag="account",
                summary="Have a login code sent to a phone",
                authorised=False,
                parameters=(Parameter(name="phone_number", required=True, doc="A mainland mobile number."),),
                refusals=(InvalidPhoneNumber, SmsCodeLimited, ProviderUnavailable),
                run=self.send_sms_code,
            ),
            Operation(
                method="POST",
                path="/v1/login",
                name="login",
                tag="account",
                summary="Log in",
                doc="The first login of a phone makes its account. The user's older token dies.",
                authorised=False,
                parameters=(
                    Parameter(
                        name="logintype",
                        required=True,
                        doc="How to log in.",
                        schema={"type": "string", "enum": [_LOGIN_TYPE]},
                    ),
                ),
                before_body=_check_login_type,
                body=LoginBody,
                answer=LoginAnswer,
                refusals=(UnsupportedLoginType, WrongSmsCode, SmsCodeLimited),
                run=self.login,
            ),
            Operation(
                method="POST",
                path="/v1/profile",
                name="updateProfile",
                tag="account",
                summary="Change one's profile",
                body=ProfileBody,
                answer=Person,
                run=self.profile,
            ),
            Operation(
                method="POST",
                path="/v1/logout",
                name="logout",
                tag="account",
                summary="Log out",
                doc="Ends everything that the user takes part in: closes his room, ends its PK.",
                run=self.logout,
            ),
        )


def _check_login_type(call: Call) -> None:
    login_type = call.query().get("logintype")
    if login_type is None:
        raise UnsupportedLoginType("empty login type")
    if login_type != _LOGIN_TYPE:
        raise UnsupportedLoginType(f"login type {login_type[:200]} not supported")
