"""The fakes of the clouds, running in the test's own event loop."""

from collections.abc import AsyncIterator

import httpx
import pytest

from qlive_app.fakes import FakeQiniu, FakeRongCloud
from qlive_app.fakes.serving.outgoing import http_client

from .application import Application


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
    async with http_client() as client:
        yield client


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    """An application that can be called back."""
    async with Application() as running:
        yield running
