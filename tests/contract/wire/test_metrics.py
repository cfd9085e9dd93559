"""The figures: by the names that dashboards know, and moving exactly as what they count."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

from .answers import refusal
from .client import ApiClient
from .conftest import Launch
from .figures import Figures
from .stage import Stage, accept, ask, eventually, let_in, offer

COUNT, DURATION = "qlive_api_http_request_count", "qlive_api_http_request_duration"
MESSAGES, PUSHES, PK = (
    "qlive_signalling_request_seconds_count",
    "qlive_signalling_pushes_total",
    "qlive_pk_total",
)
SEATS = "qlive_seat_total"
CONNECTIONS, CLOSES = "qlive_signalling_connections", "qlive_signalling_closes_total"
STORED, COMMITS = "qlive_store_commit_operations_sum", "qlive_store_commit_seconds_count"


class Change:
    """By how much the figures of a server changed; known when the watch is over."""

    def __init__(self, before: Figures, after: Figures) -> None:
        self.before, self.after = before, after

    def __call__(self, name: str, **labels: str) -> float:
        return self.after.value(name, **labels) - self.before.value(name, **labels)


@asynccontextmanager
async def watched(api: ApiClient) -> AsyncIterator[Change]:
    """Watch the figures during the block."""
    before = await Figures.of(api)
    change = Change(before, before)
    yield change
    change.after = await Figures.of(api)


async def test_http_requests_by_route_and_status(stage: Stage) -> None:
    """Counter and histogram have the original's names and labels; rooms share a path, slash variants do not."""
    host = await stage.host()
    async with watched(stage.api()) as change:
        for path in ("/v1/rooms", "/v1/rooms", "/v1/rooms/", f"/v1/rooms/{host.room}", "/v1/rooms/none"):
            await host.api.get(path)
        await stage.api().get("/v1/rooms")
        await host.api.rename_room(host.room, "renamed")
        await host.api.post("/v1/login?logintype=smscode", "no json")
    expected = {
        ("GET", "/v1/rooms", "200"): 2,
        ("GET", "/v1/rooms/", "200"): 1,
        ("GET", "/v1/rooms", "401"): 1,
        ("GET", "/v1/rooms/:roomID", "200"): 1,
        ("GET", "/v1/rooms/:roomID", "404"): 1,
        ("PUT", "/v1/rooms/:roomID", "200"): 1,
        ("POST", "/v1/login", "400"): 1,
    }
    for (method, path, code), times in expected.items():
        labels = {"method": method, "path": path, "code": code}
        assert change(COUNT, **labels) == change(f"{DURATION}_count", **labels) == times
        assert change(f"{DURATION}_bucket", le="+Inf", **labels) == times
        assert 0 < change(f"{DURATION}_sum", **labels) < 5
    assert change(COUNT) == sum(expected.values())
    assert (change.after.kinds[COUNT], change.after.kinds[DURATION]) == ("counter", "histogram")
    assert all(set(labels) == {"method", "path", "code"} for labels in change.after.labels(COUNT))


async def test_strange_paths_do_not_fill_the_monitoring_system(stage: Stage) -> None:
    """A hundred paths that do not exist make one series, and a hundred rooms that do not exist another."""
    person = await stage.person()
    async with watched(stage.api()) as change:
        for _ in range(100):
            await person.api.get(f"/{token_hex(8)}/{token_hex(8)}")
            await person.api.get(f"/v1/rooms/{token_hex(8)}")
    assert len(change.after.labels(COUNT)) - len(change.before.labels(COUNT)) <= 2
    assert change(COUNT, method="GET", path="/v1/rooms/:roomID", code="404") == 100
    assert change(COUNT, method="GET", path="unmatched", code="404") == 100


async def test_a_pk_in_figures(launch: Launch) -> None:
    """Each command, push, outcome and commit of an offer, a refusal, a PK and its end is counted once."""
    stage = launch({})
    host, opponent = await stage.pair()
    third = await stage.host()
    async with watched(stage.api()) as change:
        await offer(host, opponent)
        assert (await third.signal.call("start-pk", pkRoomID=host.room))["code"] == 10012
        await accept(opponent, host)
        assert (await host.signal.call("end-pk", pkRoomID=host.room))["code"] == 0
        await opponent.signal.expect("on-pk-end")
        await offer(opponent, third)
        assert (await third.signal.call("answer-pk", reqRoomID=opponent.room, accept=False))["code"] == 0
        await opponent.signal.expect("on-pk-answer")
    states = {label["state"]: change(PK, **label) for label in change.after.labels(PK)}
    assert states == {"offered": 2, "live": 1, "ended": 1, "rejected": 1}
    answered = {
        (label["type"], label["code"]): change(MESSAGES, **label) for label in change.after.labels(MESSAGES)
    }
    assert answered == {
        ("start-pk", "0"): 2,
        ("start-pk", "10012"): 1,
        ("answer-pk", "0"): 2,
        ("end-pk", "0"): 1,
    }
    assert change(PUSHES) == change(PUSHES, fate="sent") == 5
    assert change(STORED) >= 5  # the probe of the store writes as well
    assert 1 <= change(COMMITS) <= change(STORED)
    assert change("qlive_effect_failures_total") == change(CONNECTIONS) == 0


async def test_seats_in_figures(launch: Launch) -> None:
    """Each request by how it ended, each seat by how it was given up, and each commit, is counted once."""
    stage = launch({"signaling": {"join_request_timeout_s": 0.5}})
    host = await stage.singer()
    singer, viewer = await stage.viewer(host.room), await stage.viewer(host.room)
    async with watched(stage.api()) as change:
        await ask(singer, host, 3)
        await let_in(singer, host, viewer)
        assert (await viewer.signal.call("start-join", roomID=host.room, position=3))["code"] == 10016
        await ask(viewer, host, 5)
        await host.signal.expect("on-join-timeout")
        await viewer.signal.expect("on-join-timeout")
        assert (await singer.signal.call("end-join", roomID=host.room))["code"] == 0
    outcomes = {label["outcome"]: change(SEATS, **label) for label in change.after.labels(SEATS)}
    assert outcomes == {"asked": 2, "accepted": 1, "timed_out": 1, "left": 1}
    assert change(STORED) >= 5  # the probe of the store writes as well
    lag = "qlive_deadline_lag_seconds_count"
    assert change(lag) == change(lag, kind="seat_request") == 1


async def test_deadlines_in_figures(launch: Launch) -> None:
    """An offer that nobody answers arms a deadline, is timed out once, and the lag is that of this deadline."""
    stage = launch({"signaling": {"pk_request_timeout_s": 0.3}})
    host, opponent = await stage.pair()
    async with watched(stage.api()) as change:
        await offer(host, opponent)
        assert (await Figures.of(stage.api())).value("qlive_deadlines_armed") > 0
        await host.signal.expect("on-pk-timeout")
        await opponent.signal.expect("on-pk-timeout")
    assert (change(PK, state="offered"), change(PK, state="timed_out"), change(PK)) == (1, 1, 2)
    lag = "qlive_deadline_lag_seconds"
    assert change(f"{lag}_count") == change(f"{lag}_count", kind="pk_offer") == 1
    assert 0 <= change(f"{lag}_sum") < 1


async def test_connections_in_figures(launch: Launch) -> None:
    """The gauge follows authorised connections, and each end is counted by its close code."""
    stage = launch({})
    host = await stage.host()
    await stage.stranger()

    async def connections() -> float:
        return (await Figures.of(stage.api())).value(CONNECTIONS)

    async with watched(stage.api()) as change:
        viewer = await stage.viewer(host.room)
        assert await connections() == 2
        await viewer.signal.send("disconnect")
        assert await viewer.signal.expect_close() == 1000
        await host.signal.drop()

        async def nobody_left() -> bool:
            return await connections() == 0

        await eventually(nobody_left, "both ends are counted")
    assert (change(CLOSES, code="1000"), change(CLOSES)) == (1, 2)


async def test_metrics_under_another_path(launch: Launch) -> None:
    """They are where the configuration says, and only there; looking at them counts as no request."""
    stage = launch({"prometheus": {"metrics_path": "/internal/figures"}})
    api = stage.api()
    refusal(await api.get("/metrics"), 404, 404000)
    await Figures.of(api, "/internal/figures")
    await api.get("/healthz")
    figures = await Figures.of(api, "/internal/figures")
    assert figures.labels(COUNT) == [{"method": "GET", "path": "unmatched", "code": "404"}]


async def test_what_is_going_on(launch: Launch) -> None:
    """Rooms, audience, PKs, seats and people, as they are when somebody asks."""
    stage = launch({})
    host, _ = await stage.fighting()
    await stage.offered()
    await stage.viewer(host.room)
    voice = await stage.singer()
    singer = await stage.viewer(voice.room)
    await ask(singer, voice, 3)
    await let_in(singer, voice)
    figures = await Figures.of(stage.api())
    assert figures.value("qlive_rooms", type="pk") == 4
    assert figures.value("qlive_rooms", type="voice") == 1
    assert figures.value("qlive_viewers") == 2
    assert figures.value("qlive_pks", state="live") == figures.value("qlive_pks", state="offered") == 1
    assert figures.value("qlive_seats_taken") == 1
    assert figures.value("qlive_users_present") == 7
    await voice.api.close_room(voice.room)
    after = await Figures.of(stage.api())
    assert (after.value("qlive_rooms", type="voice"), after.value("qlive_seats_taken")) == (0, 0)
