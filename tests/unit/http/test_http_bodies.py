"""Reading bodies."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from qlive_app.http.bodies import MAX_BYTES, read_body
from qlive_app.http.schemas import CreateRoomBody, UploadTokenBody
from qlive_core.errors import BadRequest


def _receive(*chunks: bytes, cut_off: bool = False) -> Callable[[], Awaitable[Any]]:
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": chunk, "more_body": cut_off or number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]
    messages.append({"type": "http.disconnect"})
    waiting = iter(messages)

    async def receive() -> Any:
        return next(waiting)

    return receive


async def test_a_body_may_come_in_pieces() -> None:
    """However the network cuts it, even within a character."""
    text = '{"ROOMNAME":"房","roomType":null} and more'.encode()
    pieces = [text[i : i + 1] for i in range(len(text))]
    body = await read_body(_receive(*pieces), CreateRoomBody)
    assert (body.name, body.type) == ("房", "")


@pytest.mark.parametrize(
    "text", [b"", b" ", b"[]", b'"x"', b"{", b'\xef\xbb\xbf{"filename":"a"}', b'{"filename":5}', b"{'a':1}"]
)
async def test_what_is_not_understood_is_refused(text: bytes) -> None:
    """Also an empty body: these requests have something to say."""
    with pytest.raises(BadRequest) as refused:
        await read_body(_receive(text), UploadTokenBody)
    assert refused.value.detail == "invalid args in request body"


async def test_null_says_nothing() -> None:
    """`null` is an object without keys."""
    assert await read_body(_receive(b"null"), UploadTokenBody) == UploadTokenBody()


async def test_a_body_has_a_limit() -> None:
    """64 KiB are taken, one byte more is not, and nothing beyond it is kept."""
    text = b'{"filename":"a"}'
    whole = [text, b" " * (MAX_BYTES - len(text))]
    assert (await read_body(_receive(*whole), UploadTokenBody)).filename == "a"
    with pytest.raises(BadRequest):
        await read_body(_receive(*whole, b" "), UploadTokenBody)


async def test_a_caller_who_goes_away_is_no_failure() -> None:
    """Half a body is a bad request, not an internal error."""
    with pytest.raises(BadRequest):
        await read_body(_receive(b'{"filename":"a"}', cut_off=True), UploadTokenBody)
