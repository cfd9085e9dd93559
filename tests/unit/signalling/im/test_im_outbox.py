"""Texts over IM: their order, how few calls they take, and what becomes of them when the cloud fails."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.im import outbox as outbox_module
from qlive_app.signalling.im.outbox import CALLS_AT_ONCE, PER_USER_MAX, USERS_PER_CALL, ImOutbox

from .cloud import MoodyCloud
from .virtual_time import in_no_time

TTL_S = 10.0


def fates(metrics: Metrics) -> dict[str, float]:
    """Return how many texts came to which end."""
    family = next(family for family in metrics.registry.collect() if family.name == "qlive_im_pushes")
    return {s.labels["fate"]: s.value for s in family.samples if s.name.endswith("_total")}


def playing(
    play: Callable[[ImOutbox, MoodyCloud], object], cloud: MoodyCloud, within_s: float = 60.0
) -> dict[str, float]:
    """Let ``play`` queue texts, wait until all have come to an end, and return to which."""
    metrics = Metrics()

    async def scene() -> None:
        outbox = ImOutbox(cloud, metrics, ttl_s=TTL_S)
        play(outbox, cloud)
        await outbox.drain(within_s)

    in_no_time(scene())
    return fates(metrics)


def saying(pairs: Iterable[tuple[str, str]]) -> Callable[[ImOutbox, MoodyCloud], None]:
    """Return what queues these texts, each for its user, at once."""

    def play(outbox: ImOutbox, _: MoodyCloud) -> None:
        for user_id, text in pairs:
            outbox.send(user_id, text)

    return play


def test_the_same_text_to_many_is_few_calls() -> None:
    """Everybody gets it, in calls of bounded size."""
    cloud = MoodyCloud()
    users = [f"user{n}" for n in range(3 * USERS_PER_CALL + 1)]
    assert playing(saying((user, "x={}") for user in users), cloud) == {"accepted": len(users)}
    assert sorted(len(sent.user_ids) for sent in cloud.sent) == [1, *3 * (USERS_PER_CALL,)]
    assert sorted(user for sent in cloud.sent for user in sent.user_ids) == sorted(users)


def test_calls_at_once_are_bounded() -> None:
    """However many different texts wait."""
    cloud = MoodyCloud(takes_s=1.0)
    playing(saying((f"user{n}", f"x{n}={{}}") for n in range(64)), cloud)
    assert cloud.most_at_once == CALLS_AT_ONCE


def test_a_large_crowd_does_not_hold_up_others() -> None:
    """Who waits for another text has his turn between two calls for the crowd."""
    cloud = MoodyCloud(takes_s=1.0)
    crowd = [f"user{n}" for n in range(USERS_PER_CALL * CALLS_AT_ONCE * 3)]

    def play(outbox: ImOutbox, _: MoodyCloud) -> None:
        for user in crowd:
            outbox.send(user, "crowd={}")
        outbox.send("single", "single={}")

    playing(play, cloud)
    assert next(sent.at for sent in cloud.sent if sent.text == "single={}") == 0


@given(
    texts=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=40),
    down_for_s=st.sampled_from([0.0, 0.6, 3.0]),
)
def test_each_user_hears_everything_in_order(texts: list[tuple[str, str]], down_for_s: float) -> None:
    """Whatever goes in one call with what, and whatever is tried again."""
    cloud = MoodyCloud()
    cloud.is_down = down_for_s > 0

    def play(outbox: ImOutbox, _: MoodyCloud) -> None:
        for user, text in texts:
            outbox.send(user, text)
        asyncio.get_running_loop().call_later(down_for_s, setattr, cloud, "is_down", False)

    assert playing(play, cloud).get("accepted", 0) == len(texts)
    for user in "abcd":
        assert cloud.told(user) == [text for whose, text in texts if whose == user]


def test_what_is_too_old_is_given_up() -> None:
    """A text that the cloud does not take in its time is counted and gone, and so are those behind it."""
    cloud = MoodyCloud()
    cloud.is_down = True

    def play(outbox: ImOutbox, _: MoodyCloud) -> None:
        for text in ("a={}", "b={}"):
            outbox.send("ann", text)

    assert playing(play, cloud, within_s=2 * TTL_S) == {"given_up": 2}
    assert cloud.calls < 3 * TTL_S


def test_one_users_trouble_is_not_the_others() -> None:
    """When a call fails because of one of its users, the others have the text soon, and he is given up alone."""
    cloud = MoodyCloud()
    cloud.refuses = {"user7"}
    users = [f"user{n}" for n in range(16)]
    ends = playing(saying((user, "x={}") for user in users), cloud)
    assert ends == {"accepted": 15, "given_up": 1}
    assert max(sent.at for sent in cloud.sent) < TTL_S / 2


def test_a_full_queue_drops_the_oldest_that_is_not_under_way() -> None:
    """A user to whom too much is said hears the latest."""
    cloud = MoodyCloud(takes_s=0.01)
    texts = [f"x{n}" for n in range(PER_USER_MAX + 3)]
    ends = playing(saying(("ann", text) for text in texts), cloud)
    assert ends == {"accepted": PER_USER_MAX, "overflow": 3}
    assert cloud.told("ann") == [texts[0], *texts[4:]]


def test_too_much_in_all_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queues of all users together are bounded."""
    monkeypatch.setattr(outbox_module, "TOTAL_MAX", 5)
    cloud = MoodyCloud()
    ends = playing(saying((f"user{n}", "x={}") for n in range(8)), cloud)
    assert ends == {"accepted": 5, "overflow": 3}


def test_at_the_end_nobody_is_waited_for_too_long() -> None:
    """A cloud that does not answer does not keep the process from ending."""

    async def scene() -> None:
        outbox = ImOutbox(MoodyCloud(takes_s=1000.0), Metrics(), ttl_s=TTL_S)
        outbox.send("ann", "x={}")
        await outbox.drain(1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)

    in_no_time(scene())
