"""Chores of clouds: in order, tried again, and never waited for."""

import asyncio
from collections.abc import Collection

from qlive_app.runtime.chores import CloudChores
from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import CloseChat, Compose, OpenChat, StopComposing
from qlive_core.errors import ProviderUnavailable
from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.ports.clouds import StreamJob

PK = Pk("pk-7", PkState.LIVE, Side("ann", "anns"), Side("bob", "bobs"), 10.0)


class Chats:
    """Chat rooms that are refused ``failures`` times, and can be held up."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.done: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def _take(self, what: str) -> None:
        await self.may_go_on.wait()
        if self.failures:
            self.failures -= 1
            raise ProviderUnavailable("chats")
        self.done.append(what)

    async def open(self, room_id: str, name: str) -> None:
        await self._take(f"open {room_id} {name}")

    async def close(self, room_id: str) -> None:
        await self._take(f"close {room_id}")

    async def existing(self, room_ids: Collection[str]) -> frozenset[str]:
        return frozenset(room_ids)

    async def publish(self, room_id: str, *, sender: str, kind: str, content: str) -> None:
        await self._take(f"publish {room_id} {sender} {kind} {content}")


class Streams:
    """Stream jobs that run."""

    def __init__(self) -> None:
        self.running: list[str] = []

    async def start(self, job: StreamJob) -> None:
        self.running.append(job.id)

    async def stop(self, job: StreamJob) -> None:
        self.running.remove(job.id)


def counted(metrics: Metrics, fate: str) -> float:
    """Return how many chores had that fate."""
    return sum(
        sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "qlive_cloud_chores_total" and sample.labels["fate"] == fate
    )


async def test_a_cloud_in_trouble_delays_a_chore() -> None:
    """It is tried again until it is done."""
    chats, metrics = Chats(failures=2), Metrics()
    chores = CloudChores(chats, None, metrics, waits_s=(0, 0))
    chores.put(OpenChat("anns", "songs"))
    await chores.close()
    assert chats.done == ["open anns songs"]
    assert counted(metrics, "done") == 1


async def test_a_chore_is_given_up_in_the_end() -> None:
    """A cloud that stays away is not asked for ever."""
    chats, metrics = Chats(failures=9), Metrics()
    chores = CloudChores(chats, None, metrics, waits_s=(0, 0))
    chores.put(OpenChat("anns", "songs"))
    await chores.close()
    assert chats.failures == 6
    assert counted(metrics, "given up") == 1


async def test_a_room_closes_after_it_has_opened() -> None:
    """Chores of one room keep their order, however long the first takes."""
    chats, metrics = Chats(), Metrics()
    chats.may_go_on.clear()
    chores = CloudChores(chats, None, metrics)
    chores.put(OpenChat("anns", "songs"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    chores.put(CloseChat("anns"))
    chores.put(OpenChat("bobs", "owls"))
    chats.may_go_on.set()
    await chores.close()
    assert [each for each in chats.done if "anns" in each] == ["open anns songs", "close anns"]
    assert "open bobs owls" in chats.done


async def test_what_is_over_is_not_begun() -> None:
    """A chat room whose room has closed meanwhile is not made first."""
    chats, metrics = Chats(), Metrics()
    chores = CloudChores(chats, None, metrics)
    chores.put(OpenChat("anns", "songs"))
    chores.put(CloseChat("anns"))
    await chores.close()
    assert chats.done == ["close anns"]
    assert counted(metrics, "superseded") == 1


async def test_streams_are_composed_while_a_pk_lasts() -> None:
    """Both hosts' streams, from its beginning to its end."""
    streams = Streams()
    chores = CloudChores(None, streams, Metrics())
    chores.put(Compose(PK))
    await chores.close()
    assert streams.running == ["pk-7-1", "pk-7-2"]
    chores.put(StopComposing(PK))
    await chores.close()
    assert streams.running == []


async def test_without_a_cloud_there_is_nothing_to_do() -> None:
    """The local stand-ins have no chat rooms and no streams."""
    metrics = Metrics()
    chores = CloudChores(None, None, metrics)
    chores.put(OpenChat("anns", "songs"))
    chores.put(Compose(PK))
    await chores.close()
    assert counted(metrics, "done") == 0
