"""The bench's WebSocket framing, held against the library that the servers use."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.frames import TEXT, FrameReader, client_frame

LENGTHS = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536])


def as_server_sends(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(LENGTHS)
def test_the_library_reads_what_the_bench_sends(length: int) -> None:
    """A client frame of any length parses as one masked text with the same payload."""
    stream = StreamReader()
    stream.feed_data(client_frame(TEXT, b"x" * length))
    parsing = Frame.parse(stream.read_exact, mask=True)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert done.value.value == Frame(Opcode.TEXT, b"x" * length)


@given(st.lists(LENGTHS, max_size=4), st.lists(st.integers(0, 200_000), max_size=6))
def test_frames_arrive_whole_wherever_tcp_cuts_them(lengths: list[int], cuts: list[int]) -> None:
    """The payloads come out complete and in order for every way to slice the bytes."""
    payloads = [bytes([number]) * length for number, length in enumerate(lengths)]
    stream = b"".join(as_server_sends(payload) for payload in payloads)
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    reader = FrameReader()
    heard = [frame for a, b in pairwise(edges) for frame in reader.feed(stream[a:b])]
    assert heard == [(TEXT, payload) for payload in payloads]


def test_a_fragment_ends_the_measurement() -> None:
    """A server that fragments would be measured wrongly, so the bench says so."""
    with pytest.raises(MeasurementError, match="fragmented"):
        FrameReader().feed(Frame(Opcode.TEXT, b"half", fin=False).serialize(mask=False))
