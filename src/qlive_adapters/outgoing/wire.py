"""One attempt at one host, over httpx."""

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from qlive_adapters.outgoing.exchange import Answer, Request
from qlive_adapters.outgoing.outcome import Outcome, Unsuccessful

CONNECT_TIMEOUT_S = 2.0
MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""The limit of Qiniu's own SDKs; no answer that we ask for comes near it."""

# RongCloud drops idle connections before 60 s, others later; who hangs up first loses no request.
_KEEPALIVE_S = 30.0


class Wire:
    """The connections to a vendor, at most ``connections`` at a time.

    ``auth`` signs every attempt anew. ``request_id_header`` names an exchange: the vendor's answer has it, or
    else what ``auth`` put into the request.
    """

    def __init__(self, *, connections: int, auth: httpx.Auth | None, request_id_header: str) -> None:
        self._request_id_header = request_id_header
        self._client = httpx.AsyncClient(
            auth=auth,
            trust_env=False,
            follow_redirects=False,
            # Compressed answers could be small on the wire and huge in memory.
            headers={"Accept-Encoding": "identity", "User-Agent": "qlive"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=_KEEPALIVE_S,
            ),
        )

    async def exchange(self, host: str, request: Request, *, until: float) -> Answer:
        """Send the request and return the answer, by ``until`` on the loop's clock.

        Raises Unsuccessful: UNREACHABLE only if nothing was sent.
        """
        sending = _Sending()
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(host + request.path, request, sending)
        except TimeoutError:
            raise Unsuccessful(Outcome.TIMEOUT if sending.began else Outcome.UNREACHABLE) from None
        except httpx.HTTPError as error:
            outcome = Outcome.FAILED if sending.began else Outcome.UNREACHABLE
            raise Unsuccessful(outcome, type(error).__name__) from error

    async def _exchange(self, url: str, request: Request, sending: "_Sending") -> Answer:
        async with self._client.stream(
            request.method,
            url,
            content=request.content,
            headers=request.headers,
            extensions={"trace": sending.trace},
        ) as response:
            content = await _read(response)
        name = self._request_id_header
        request_id = response.headers.get(name) or response.request.headers.get(name, "")
        return Answer(response.status_code, content, request_id)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class _Sending:
    """Whether any of a request has left this machine, told by httpx's trace."""

    def __init__(self) -> None:
        self.began = False

    async def trace(self, event: str, _info: Any) -> None:
        if event.endswith("send_request_headers.started"):
            self.began = True


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise Unsuccessful(Outcome.FAILED, "answer too long")
    return bytes(content)
