"""Pili, the live streaming cloud: which streams are being published, and who may publish.

Source: the vendor's pages on its server API and its SDKs. What it answers for a stream that is offline or was never
published differs with their age: 404, 612, 619, or no start time; all mean the same here.
"""

from collections.abc import Collection

import msgspec
from attrs import frozen

from qlive_adapters.outgoing import Answer, Operation, Vendor
from qlive_adapters.qiniu.api import done, get, is_success, post, refusal
from qlive_adapters.qiniu.live_urls import encoded_title
from qlive_core.ports.clouds import LiveStreams

FOREVER = -1
_ENABLED = 0
_BATCH = 100  # the vendor's limit

_IS_LIVE = Operation("is_live", idempotent=True)
_LIVE_AMONG = Operation("live_among", idempotent=True)
_DISABLE = Operation("disable_stream", idempotent=True)
_ENABLE = Operation("enable_stream", idempotent=True)


class _Stream(msgspec.Struct, rename="camel"):
    key: str = ""
    start_at: int = 0


class _Streams(msgspec.Struct):
    items: list[_Stream] | None = None


_decode_stream = msgspec.json.Decoder(_Stream).decode
_decode_streams = msgspec.json.Decoder(_Streams).decode


@frozen
class QiniuStreams:
    """The streams of ``hub``, whose titles are the ids of their hosts."""

    vendor: Vendor
    hub: str

    async def is_live(self, host_id: str) -> bool:
        """Tell whether the host's stream is being published."""
        return await self.vendor.call(_IS_LIVE, get(f"{self._stream(host_id)}/live"), _is_live)

    async def live_among(self, host_ids: Collection[str]) -> frozenset[str]:
        """Return those of the hosts whose streams are being published, a hundred in one call."""
        live: set[str] = set()
        titles = tuple(host_ids)
        for first in range(0, len(titles), _BATCH):
            batch = titles[first : first + _BATCH]
            request = post(f"/v2/hubs/{self.hub}/livestreams", {"items": batch})
            live |= await self.vendor.call(_LIVE_AMONG, request, _live)
        return frozenset(live)

    async def disable(self, host_id: str, *, until: int = FOREVER) -> None:
        """Cut the host's stream off and let nobody publish it until then (Unix seconds)."""
        await self._set_disabled(_DISABLE, host_id, until)

    async def enable(self, host_id: str) -> None:
        """Let the host's stream be published again."""
        await self._set_disabled(_ENABLE, host_id, _ENABLED)

    async def _set_disabled(self, operation: Operation, host_id: str, until: int) -> None:
        request = post(f"{self._stream(host_id)}/disabled", {"disabledTill": until})
        await self.vendor.call(operation, request, _changed)

    def _stream(self, host_id: str) -> str:
        return f"/v2/hubs/{self.hub}/streams/{encoded_title(host_id)}"


def _is_offline(answer: Answer) -> bool:
    return answer.status in (404, 612, 619)


def _is_live(answer: Answer) -> bool:
    if _is_offline(answer):
        return False
    if not is_success(answer):
        raise refusal(answer)
    return _decode_stream(answer.content).start_at > 0


def _live(answer: Answer) -> frozenset[str]:
    if not is_success(answer):
        raise refusal(answer)
    return frozenset(stream.key for stream in _decode_streams(answer.content).items or ())


def _changed(answer: Answer) -> None:
    if not _is_offline(answer):
        done(answer)


_streams: type[LiveStreams] = QiniuStreams
