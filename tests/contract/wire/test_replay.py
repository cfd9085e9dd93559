"""The recordings of the original, replayed. Where qlive means to differ is stated in `differences.py`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import StoreSettings
from .differences import DIFFERENCES
from .replay import Outcome, Replay
from .server import RunningServer

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.jsonl"))


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory, store: StoreSettings) -> dict[str, Outcome]:
    """All replays, side by side; each against a server of its own, as the original was empty each time."""
    servers = [RunningServer(tmp_path_factory.mktemp(path.stem), store()) for path in RECORDINGS]
    try:
        # Two at a time: nine that start at once keep each other from being ready in time.
        with ThreadPoolExecutor(max_workers=2) as starters:
            list(starters.map(RunningServer.start, servers))
        found = asyncio.run(_replay_all(servers))
    finally:
        for server in servers:
            server.stop()
    return {path.stem: outcome for path, outcome in zip(RECORDINGS, found, strict=True)}


async def _replay_all(servers: list[RunningServer]) -> list[Outcome]:
    pairs = zip(RECORDINGS, servers, strict=True)
    replays = [Replay(path, server.base_url, server.ws_url) for path, server in pairs]
    return await asyncio.gather(*(replay.run() for replay in replays))


@pytest.mark.parametrize("recording", [path.stem for path in RECORDINGS])
def test_the_server_answers_as_recorded(recording: str, outcomes: dict[str, Outcome]) -> None:
    """Apps that speak to the original find the same answers here, byte for byte where nothing says otherwise."""
    assert outcomes[recording].mismatches == []


def test_every_stated_difference_is_met(outcomes: dict[str, Outcome]) -> None:
    """The table of differences holds nothing that no recording shows."""
    met = {rule.rule for outcome in outcomes.values() for rule in outcome.rules}
    assert [difference.rule for difference in DIFFERENCES if difference.rule not in met] == []
