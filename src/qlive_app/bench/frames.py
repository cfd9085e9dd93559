"""WebSocket framing for a client that has to be cheaper than the servers it loads (RFC 6455, section 5.2)."""

from qlive_app.bench.errors import MeasurementError

TEXT = 0x1
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_FINAL = 0x80
_MASKED = 0x80
# A key of zeros masks nothing, so that a frame can be built once and sent a million times. The server unmasks it
# like any other; only a browser's page has to be kept from choosing the bytes on the wire.
_NO_MASK = bytes(4)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame as a client sends it."""
    length = len(payload)
    if length < 126:
        head = bytes((_FINAL | opcode, _MASKED | length))
    elif length < 65536:
        head = bytes((_FINAL | opcode, _MASKED | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _MASKED | 127)) + length.to_bytes(8, "big")
    return head + _NO_MASK + payload


class FrameReader:
    """Cuts what a server sent into frames, however TCP has cut it before."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are complete now, as (opcode, payload).

        Raises MeasurementError for a fragment: the servers measured here send whole messages.
        """
        if self._rest:
            data = self._rest + data
        frames: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= 2:
            start = at + 2
            length = data[at + 1]
            if length >= 126:
                start += 2 if length == 126 else 8
                length = int.from_bytes(data[at + 2 : start], "big")
            if start + length > end:
                break
            if not data[at] & _FINAL:
                raise MeasurementError("the server sent a fragmented message")
            frames.append((data[at] & 0x0F, data[start : start + length]))
            at = start + length
        self._rest = data[at:]
        return frames
