"""What comes over IM: in order for each user, once, and no more than can be kept."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.im import inbox as inbox_module
from qlive_app.signalling.im.inbox import PER_USER_MAX, ImInbox
from qlive_app.signalling.im.recent_ids import RecentIds
from qlive_app.signalling.im.words import Word, request_in
from qlive_core.ports.clouds import HeardOverIm
from qlive_core.signalling import BadRequest, Disconnect, EndPk, StartPk

from .virtual_time import LoopClock, in_no_time

START = 'start-pk={"pkRoomID":"room"}'


def kinds(metrics: Metrics) -> dict[str, float]:
    """Return what was counted."""
    family = next(family for family in metrics.registry.collect() if family.name == "qlive_im_messages")
    return {s.labels["kind"]: s.value for s in family.samples if s.name.endswith("_total")}


def hearing(
    heard: list[HeardOverIm], handle: Callable[[Word], Awaitable[None]] | None = None
) -> tuple[list[Word], dict[str, float], float]:
    """Take all of it at once; return what was handled in which order, what was counted, and how long it took."""
    metrics, handled = Metrics(), []

    async def note(word: Word) -> None:
        await (handle or _at_once)(word)
        handled.append(word)

    async def scene() -> float:
        inbox = ImInbox(note, LoopClock(), metrics, remember_s=600)
        for each in heard:
            inbox.take(each)
        await inbox.drain(100.0)
        return asyncio.get_running_loop().time()

    took_s = in_no_time(scene())
    return handled, kinds(metrics), took_s


async def _at_once(_: Word) -> None:
    await asyncio.sleep(0)


async def _in_a_second(_: Word) -> None:
    await asyncio.sleep(1)


def test_one_users_words_keep_their_order_and_others_do_not_wait() -> None:
    """Each is handled to its end before the next of the same user begins."""
    heard = [HeardOverIm(user, float(n)) for n in range(3) for user in ("ann", "bob", "cy")]
    handled, _, took_s = hearing(heard, _in_a_second)
    assert took_s == pytest.approx(3)
    for user in ("ann", "bob", "cy"):
        times = [word.at for word in handled if word.user_id == user]
        assert (len(times), times) == (3, sorted(times))


def test_a_request_is_handled_once() -> None:
    """Repetitions go by the message's id; without one, and for mere signs of life, nobody looks."""
    repeated = HeardOverIm("ann", 1.0, "UID-1", START)
    other = HeardOverIm("ann", 1.0, "UID-2", START)
    nameless = HeardOverIm("ann", 1.0, "", START)
    sign = HeardOverIm("ann", 1.0, "UID-3", "pong={}")
    handled, counted, _ = hearing([repeated, repeated, other, nameless, nameless, sign, sign, repeated])
    assert len([word for word in handled if word.request]) == 4
    assert len([word for word in handled if not word.request]) == 2
    assert counted == {"duplicate": 2}


def test_what_has_no_time_was_said_when_it_came() -> None:
    """A report without a time counts as of its arrival."""
    ((word,), _, _) = hearing([HeardOverIm("ann", None)])
    assert word.at == 1_700_000_000.0


def test_a_failure_is_the_end_of_one_word_only() -> None:
    """Whatever goes wrong, the next word is heard."""

    async def fail_first(word: Word) -> None:
        if not word.to_us:
            raise RuntimeError("unexpected")

    handled, counted, _ = hearing([HeardOverIm("ann", 0.0), HeardOverIm("ann", 1.0, text="x")], fail_first)
    assert [word.to_us for word in handled] == [True]
    assert counted == {"failed": 1}


def test_what_is_too_much_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who floods loses what does not fit, and so do all together; the rest is handled."""
    flood = [HeardOverIm("ann", float(n)) for n in range(PER_USER_MAX + 5)]
    handled, counted, _ = hearing([*flood, HeardOverIm("bob", 0.0)], _in_a_second)
    assert len(handled) == PER_USER_MAX + 1
    assert counted == {"overflow": 5}
    monkeypatch.setattr(inbox_module, "TOTAL_MAX", 3)
    handled, counted, _ = hearing([HeardOverIm(f"user{n}", 0.0) for n in range(5)])
    assert (len(handled), counted) == (3, {"overflow": 2})


@pytest.mark.parametrize(
    ("text", "request_class"),
    [
        ('start-pk={"pkRoomID":"r"}', StartPk),
        ('end-pk={"pkRoomID":"a=b"}', EndPk),
        ("disconnect={}", Disconnect),
        ('disconnect={"rpcID":3}', Disconnect),
        ("start-pk={not json}", BadRequest),
        ('start-pk={"pkRoomID":7}', BadRequest),
    ],
)
def test_requests(text: str, request_class: type) -> None:
    """``type={json}`` of a known request is one, if only a bad one."""
    assert isinstance(request_in(text), request_class)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=",
        "=",
        "ping=",
        "ping={}",
        "pong={}",
        "hello",
        "1 + 1 = 2",
        "start-pk=",
        "start-pk=[]",
        ' start-pk={"pkRoomID":"r"}',
        'start-pk= {"pkRoomID":"r"}',
        'start-pk={"pkRoomID":"r"} ',
        "something-new={}",
        'auth={"token":"t"}',
        "auth={bad}",
        "on-room-close={}",
        'start-pk={"pkRoomID":"' + "r" * 70_000 + '"}',
    ],
)
def test_signs_of_life(text: str) -> None:
    """Every other text only shows that its sender is there."""
    assert request_in(text) is None


def test_ids_are_forgotten_in_time_and_never_too_many() -> None:
    """What may be repeated no more is forgotten, and when there are too many the oldest are."""
    ids = RecentIds(remember_s=10, capacity=3)
    assert [ids.is_repeated(uid, 0) for uid in "aab"] == [False, True, False]
    assert ids.is_repeated("b", 9.9)
    assert not ids.is_repeated("b", 10)
    assert [ids.is_repeated(uid, 11) for uid in "cdeb"] == [False, False, False, False]
    assert len(ids) == 3


def test_long_ids_take_no_more_memory() -> None:
    """A report may be as long as a request, and its id nearly so."""
    ids = RecentIds(remember_s=10, capacity=1000)
    tracemalloc.start()
    try:
        repeated = [ids.is_repeated(f"{n}" + "x" * 100_000, 0) for n in range(100)]
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not any(repeated)
    assert kept < 100_000
