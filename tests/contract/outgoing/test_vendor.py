"""Calls to vendors on their bad days: within the budget, done twice only where that is safe, and told rightly."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import NoReturn

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from qlive_adapters.outgoing import Answer, CallFailed, Operation, Outcome, Request, Unsuccessful, Vendor
from qlive_core.errors import ProviderUnavailable

from .conftest import OpenVendor, Recorder
from .misbehaving import (
    Behaviour,
    answer,
    babble,
    drip,
    gush,
    half,
    hang,
    hang_up,
    misbehaving,
    refusing,
    reset,
    swallowing,
)

SLACK_S = 0.5
SEND = Operation("send", idempotent=False, budget_s=0.4)
ASK = Operation("ask", idempotent=True, budget_s=0.8)
PATIENT = Operation("send", idempotent=False, budget_s=5)
"""For calls that succeed, however busy the machine is."""
REQUEST = Request("POST", "/v1/things?x=1", b"secret=1", {"Content-Type": "text/plain"})
AFTER_THAT = answer(body=b'"well again"')


def read(reply: Answer) -> str:
    """Read as most vendors are read: by the status, then by the body."""
    if reply.status == 429:
        raise Unsuccessful(Outcome.LIMITED, "429")
    if 500 <= reply.status < 600:
        raise Unsuccessful(Outcome.FAILED, str(reply.status))
    if reply.status != 200:
        raise Unsuccessful(Outcome.REFUSED, str(reply.status))
    return str(msgspec.json.decode(reply.content))


async def failure(vendor: Vendor, operation: Operation = SEND) -> CallFailed:
    """Make a call that fails and return how, having checked that it kept its budget."""
    started = time.monotonic()
    with pytest.raises(CallFailed) as caught:
        await vendor.call(operation, REQUEST, read)
    assert time.monotonic() - started < operation.budget_s + SLACK_S
    return caught.value


async def test_what_is_sent(vendor: OpenVendor) -> None:
    """The request arrives as it was given, signed, without cookies, and asks for no compression."""

    class Signing(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.headers["Authorization"] = f"{request.headers['Host']} {request.url.raw_path.decode()}"
            yield request

    async with misbehaving(usual=answer(body=b'"hello"', Set_Cookie="a=b")) as server:
        acme = vendor(server.url, auth=Signing())
        for _ in range(2):
            assert await acme.call(PATIENT, REQUEST, read) == "hello"
        request = server.received[1]
        assert (request.method, request.target, request.body) == ("POST", "/v1/things?x=1", b"secret=1")
        assert request.headers["content-type"] == "text/plain"
        assert request.headers["authorization"] == f"{server.url.removeprefix('http://')} /v1/things?x=1"
        assert request.headers["accept-encoding"] == "identity"
        assert "cookie" not in request.headers
        assert server.connections == 1


async def test_every_status_is_the_readers(vendor: OpenVendor) -> None:
    """Statuses that no standard knows, and redirects, reach the reader as they are."""
    async with misbehaving(answer(612, b"gone", X_Reqid="r1"), answer(302, Location="/elsewhere")) as server:
        acme = vendor(server.url)
        assert await acme.call(ASK, REQUEST, lambda reply: reply) == Answer(612, b"gone", "r1")
        assert (await acme.call(ASK, REQUEST, lambda reply: reply)).status == 302
        assert len(server.received) == 2


async def test_no_proxy_of_the_environment(vendor: OpenVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that steer other programs do not steer calls to vendors."""
    with refusing() as nowhere:
        monkeypatch.setenv("HTTP_PROXY", nowhere)
        monkeypatch.setenv("ALL_PROXY", nowhere)
        async with misbehaving(AFTER_THAT) as server:
            assert await vendor(server.url).call(SEND, REQUEST, read) == "well again"


@pytest.mark.parametrize("operation", [SEND, ASK], ids=["send", "ask"])
@pytest.mark.parametrize("behaviour", [hang, drip], ids=["hang", "drip"])
async def test_slowness(
    behaviour: Behaviour, operation: Operation, vendor: OpenVendor, recorder: Recorder
) -> None:
    """However slow the vendor is, the caller hears of it when the budget is spent."""
    async with misbehaving(usual=behaviour) as server:
        error = await failure(vendor(server.url), operation)
        assert (error.outcome, error.maybe_done, error.provider) == (Outcome.TIMEOUT, True, "acme")
        assert len(server.received) == (2 if operation.idempotent else 1)
    ((name, called, outcome, seconds),) = recorder.calls
    assert (name, called, outcome) == ("acme", operation.name, "timeout")
    assert operation.budget_s * 0.9 <= seconds < operation.budget_s + SLACK_S


@pytest.mark.parametrize(("nowhere", "hosts"), [(swallowing, 1), (swallowing, 2), (refusing, 1)])
async def test_nobody_there(
    nowhere: Callable[[], AbstractContextManager[str]], hosts: int, vendor: OpenVendor
) -> None:
    """Without a connection nothing was done, and the caller may rely on that."""
    with nowhere() as url:
        error = await failure(vendor(*[url] * hosts))
        assert (error.outcome, error.maybe_done) == (Outcome.UNREACHABLE, False)


@pytest.mark.parametrize(
    "behaviour",
    [half, hang_up, reset, babble, answer(500), answer(503, b"<html>"), answer(200, b"<html>")],
    ids=["half", "hang up", "reset", "babble", "500", "503", "no json"],
)
async def test_failures(behaviour: Behaviour, vendor: OpenVendor, recorder: Recorder) -> None:
    """What failed after it was sent may have been done: it is done again only if that makes no difference."""
    async with misbehaving(behaviour, usual=AFTER_THAT) as server:
        error = await failure(vendor(server.url))
        assert (error.outcome, error.maybe_done) == (Outcome.FAILED, True)
        assert len(server.received) == 1
        assert await vendor(server.url).call(ASK, REQUEST, read) == "well again"
    async with misbehaving(behaviour, usual=AFTER_THAT) as server:
        assert await vendor(server.url).call(ASK, REQUEST, read) == "well again"
        assert len(server.received) == 2
    async with misbehaving(usual=behaviour) as server:
        assert (await failure(vendor(server.url), ASK)).outcome is Outcome.FAILED
        assert len(server.received) == 2
    assert recorder.outcomes == ["failed", "ok", "ok", "failed"]


async def test_endless_answers(vendor: OpenVendor) -> None:
    """A body without an end is not read to where it would fill the memory."""
    async with misbehaving(usual=gush) as server:
        error = await failure(vendor(server.url), Operation("send", idempotent=False))
        assert (error.outcome, error.vendor_code) == (Outcome.FAILED, "answer too long")


async def test_refusals_are_final(vendor: OpenVendor, recorder: Recorder) -> None:
    """A no is a no: it is not asked again, and nothing was done."""
    async with misbehaving(usual=answer(400)) as server:
        error = await failure(vendor(server.url), ASK)
        assert (error.outcome, error.vendor_code, error.maybe_done) == (Outcome.REFUSED, "400", False)
        assert len(server.received) == 1
    assert recorder.outcomes == ["refused"]


async def test_asked_too_often(vendor: OpenVendor, recorder: Recorder) -> None:
    """Who is asked too often is asked again only by operations that know how long to wait."""
    patient = Operation("send", idempotent=False, budget_s=0.8, wait_if_limited_s=0.01)
    async with misbehaving(answer(429), answer(429), usual=AFTER_THAT) as server:
        assert (await failure(vendor(server.url), ASK)).outcome is Outcome.LIMITED
        assert await vendor(server.url).call(patient, REQUEST, read) == "well again"
        assert len(server.received) == 3
    assert recorder.outcomes == ["limited", "ok"]


async def test_the_other_host(vendor: OpenVendor) -> None:
    """What could not be sent goes to the other host at once, and all later calls go there straight."""
    with refusing() as nowhere:
        async with misbehaving(usual=AFTER_THAT) as backup:
            acme = vendor(nowhere, backup.url)
            for _ in range(3):
                assert await acme.call(PATIENT, REQUEST, read) == "well again"
            assert len(backup.received) == 3


async def test_a_failing_host_is_left(vendor: OpenVendor) -> None:
    """A host that fails is left too, though what failed there is not repeated unless that is safe."""
    async with misbehaving(usual=answer(502)) as bad, misbehaving(usual=AFTER_THAT) as good:
        acme = vendor(bad.url, good.url)
        assert (await failure(acme)).maybe_done
        assert await acme.call(PATIENT, REQUEST, read) == "well again"
        assert (len(bad.received), len(good.received)) == (1, 1)
        other = vendor(bad.url, good.url)
        assert await other.call(ASK, REQUEST, read) == "well again"
        assert (len(bad.received), len(good.received)) == (2, 2)


async def test_the_circuit(vendor: OpenVendor, recorder: Recorder) -> None:
    """After failures in a row nobody is kept waiting; a single probe finds out when the vendor is well again."""
    async with misbehaving(answer(500), answer(400), usual=answer(500)) as server:
        acme = vendor(server.url, failures=2, cool_down_s=0.1)
        for outcome in ("FAILED", "REFUSED", "FAILED", "FAILED", "BROKEN"):
            assert (await failure(acme)).outcome is Outcome[outcome]
        assert not (await failure(acme)).maybe_done
        assert (acme.is_circuit_open, len(server.received)) == (True, 4)
        await asyncio.sleep(0.1)
        errors = await asyncio.gather(*(failure(acme) for _ in range(5)))
        assert [error.outcome for error in errors] == [Outcome.FAILED, *[Outcome.BROKEN] * 4]
        assert len(server.received) == 5
        server.usual = AFTER_THAT
        await asyncio.sleep(0.1)
        assert await acme.call(PATIENT, REQUEST, read) == "well again"
        assert not acme.is_circuit_open
    assert recorder.circuits == [False, True, False]
    assert recorder.outcomes.count("broken") == 6


async def test_a_probe_that_is_given_up(vendor: OpenVendor) -> None:
    """If the caller whose call is the probe leaves, the next caller's is."""
    async with misbehaving(answer(500), hang, usual=AFTER_THAT) as server:
        acme = vendor(server.url, failures=1, cool_down_s=0)
        await failure(acme)
        server.came.clear()
        probe = asyncio.create_task(acme.call(SEND, REQUEST, read))
        await server.came.wait()
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await acme.call(PATIENT, REQUEST, read) == "well again"


@asynccontextmanager
async def crowd(
    vendor: Vendor, size: int, operation: Operation = SEND
) -> AsyncIterator[list["asyncio.Task[CallFailed]"]]:
    """Make so many calls that fail, at once."""
    tasks = [asyncio.create_task(failure(vendor, operation)) for _ in range(size)]
    yield tasks
    await asyncio.gather(*tasks)


async def test_bounded_crowds(vendor: OpenVendor) -> None:
    """A slow vendor is asked by so many at a time; the others' waits count, and too many are told at once."""
    async with misbehaving(usual=hang) as server:
        acme = vendor(server.url, at_once=3, waiting=4)
        async with crowd(acme, 7, Operation("send", idempotent=False, budget_s=2)) as tasks:
            await server.came.wait()
            started = time.monotonic()
            error = await failure(acme)
            assert time.monotonic() - started < SEND.budget_s / 2
            assert (error.outcome, error.maybe_done) == (Outcome.TIMEOUT, False)
            # Looked at before the first of them give up, which the server is told a moment later.
            assert server.busiest <= 3
        errors = [task.result() for task in tasks]
        assert {error.outcome for error in errors} <= {Outcome.TIMEOUT, Outcome.UNREACHABLE}
        # On a busy machine who waited may get a turn just before his time is over.
        assert sum(error.maybe_done for error in errors) >= len(server.received) >= 3
        server.usual = AFTER_THAT
        assert await acme.call(PATIENT, REQUEST, read) == "well again"


async def test_nothing_leaks(vendor: OpenVendor) -> None:
    """Calls that ran out of time or whose callers left keep neither connections nor turns."""
    brief = Operation("send", idempotent=False, budget_s=0.02)
    async with misbehaving(usual=hang) as server:
        acme = vendor(server.url, at_once=2)
        for _ in range(10):
            await asyncio.gather(*(failure(acme, brief) for _ in range(4)))
            left = asyncio.create_task(acme.call(SEND, REQUEST, read))
            await asyncio.sleep(0.005)
            left.cancel()
            await asyncio.wait([left])
        server.usual = AFTER_THAT
        assert await acme.call(PATIENT, REQUEST, read) == "well again"


async def test_closed(vendor: OpenVendor) -> None:
    """At the end calls under way fail as calls do, are not repeated, and nobody is called any more."""
    async with misbehaving(usual=hang) as server:
        acme = vendor(server.url)
        async with crowd(acme, 1, ASK) as (under_way,):
            await server.came.wait()
            await acme.aclose()
        assert under_way.result().maybe_done
        assert (await failure(acme)).outcome is Outcome.BROKEN
        assert len(server.received) == 1


async def test_what_is_logged(vendor: OpenVendor) -> None:
    """One line a call says what happened, with the vendor's name for the exchange, and nothing that was said."""
    async with misbehaving(
        answer(400, b"secret answer", X_Reqid="req-1"), answer(500, X_Reqid="req-2"), answer(X_Reqid="req-3")
    ) as server:
        acme = vendor(server.url)
        with capture_logs() as lines:
            await failure(acme)
            await failure(acme)
            await acme.call(SEND, REQUEST, read)
    assert [
        (line["log_level"], line["outcome"], line["status"], line["vendor_code"], line["request_id"])
        for line in lines
    ] == [
        ("info", "refused", 400, "400", "req-1"),
        ("warning", "failed", 500, "500", "req-2"),
        ("debug", "ok", 200, None, "req-3"),
    ]
    assert {(line["vendor"], line["operation"], line["attempts"]) for line in lines} == {("acme", "send", 1)}
    assert "secret" not in str(lines)


async def test_strange_codes_are_tamed(vendor: OpenVendor) -> None:
    """A code that comes from outside cannot fill the log or forge lines in it."""

    def refuse(_: Answer) -> NoReturn:
        raise Unsuccessful(Outcome.REFUSED, "a\nb" * 1000)

    async with misbehaving() as server:
        with capture_logs() as lines, pytest.raises(ProviderUnavailable):
            await vendor(server.url).call(SEND, REQUEST, refuse)
    assert lines[0]["vendor_code"].startswith("abab")
    assert len(lines[0]["vendor_code"]) <= 64
