"""Calls to RongCloud: forms, signed anew for every attempt, and answers that are judged by status and code."""

import secrets
import time
import uuid
from collections.abc import Generator, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
import structlog

from qlive_adapters.outgoing import Answer, Observer, Operation, Outcome, Request, Unsuccessful, Vendor
from qlive_adapters.rongcloud.errors import MISCONFIGURED, outcome_of
from qlive_adapters.rongcloud.signing import Application

NAME = "rongcloud"

R = TypeVar("R")
Form = Sequence[tuple[str, str]]
"""Fields of a form; a list is a name that is repeated."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# The vendor counts calls per second, so that a second later there is room again.
_WAIT_IF_LIMITED_S = 1.0
# Signals are worth sending for some seconds only; a longer pause would outlast them.
_COOL_DOWN_S = 2.0


class Done(msgspec.Struct):
    """An answer that says no more than that."""


class _Head(msgspec.Struct):
    code: int = 0


_decode_head = msgspec.json.Decoder(_Head).decode


def operation(name: str, *, idempotent: bool) -> Operation:
    """Return an operation with RongCloud's usual treatment."""
    return Operation(name, idempotent=idempotent, wait_if_limited_s=_WAIT_IF_LIMITED_S)


def encode_form(form: Form) -> bytes:
    """Return the body of a call."""
    return urlencode(form).encode("ascii")


class RongCloud:
    """An application at RongCloud, reached at ``hosts`` of the one data centre that it belongs to."""

    def __init__(self, application: Application, hosts: Sequence[str], observer: Observer) -> None:
        self._vendor = Vendor(
            NAME,
            hosts,
            observer,
            auth=_Signing(application),
            request_id_header="X-Request-ID",
            cool_down_s=_COOL_DOWN_S,
        )
        self._complained: set[int] = set()
        self._log = structlog.get_logger("qlive.vendor", vendor=NAME)

    @property
    def is_circuit_open(self) -> bool:
        """Whether calls fail at once for the time being."""
        return self._vendor.is_circuit_open

    async def call(self, operation: Operation, path: str, form: Form, result: type[R]) -> R:
        """Post the form to ``path``, such as ``/user/getToken``, and return the answer. Raises CallFailed."""

        def read(answer: Answer) -> R:
            self._check(answer)
            return msgspec.json.decode(answer.content, type=result)

        request = Request("POST", f"{path}.json", encode_form(form), _FORM)
        return await self._vendor.call(operation, request, read)

    async def aclose(self) -> None:
        """Close all connections; calls fail from now on."""
        await self._vendor.aclose()

    def _check(self, answer: Answer) -> None:
        code = _code(answer)
        outcome = outcome_of(answer.status, code)
        if outcome is Outcome.OK:
            return
        if code in MISCONFIGURED and code not in self._complained:
            # Once, for every call will meet it until somebody has acted.
            self._complained.add(code)
            self._log.error("vendor is misconfigured", problem=MISCONFIGURED[code], vendor_code=code)
        raise Unsuccessful(outcome, str(code))


def _code(answer: Answer) -> int:
    try:
        return _decode_head(answer.content).code
    except msgspec.DecodeError:
        return 0


class _Signing(httpx.Auth):
    def __init__(self, application: Application) -> None:
        self._application = application

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        # 16 characters of at most 18, milliseconds, and a name for the exchange by which the vendor finds it.
        nonce, timestamp = secrets.token_hex(8), str(time.time_ns() // 1_000_000)
        request.headers.update(self._application.headers(nonce, timestamp))
        request.headers["X-Request-ID"] = str(uuid.uuid4())
        yield request
