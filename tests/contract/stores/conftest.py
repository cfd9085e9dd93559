"""The event loop of the store tests."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The stores are written for asyncio."""
    return "asyncio"
