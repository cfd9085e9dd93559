"""The fakes of the clouds, running in the test's own event loop."""

from collections.abc import AsyncIterator

import httpx
import pytest

from qlive_app.fakes import FakeQiniu, FakeRongCloud


@pytest.fixture
async def qiniu() -> AsyncIterator[FakeQiniu]:
    """A fake of Qiniu that nobody has called yet."""
    async with FakeQiniu() as fake:
        yield fake


@pytest.fixture
async def rongcloud() -> AsyncIterator[FakeRongCloud]:
    """A fake of RongCloud that nobody has called yet; it calls nobody back until it is told whom."""
    async with FakeRongCloud() as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client that asks the machine's environment for nothing."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        yield client
