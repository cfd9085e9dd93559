"""What the tests of the core share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from attrs import evolve

from core.world import LOOP, RULES, World


@pytest.fixture
def world_with() -> Iterator[Callable[..., World]]:
    """Return what makes a world with other rules than usual."""
    with ExitStack() as stack:

        def make(**changes: object) -> World:
            world = World(evolve(RULES, **changes))  # type: ignore[arg-type]
            stack.callback(world.close)
            return world

        yield make


@pytest.fixture
def world(world_with: Callable[..., World]) -> World:
    """Return a fresh world."""
    return world_with()


@pytest.fixture(scope="session", autouse=True)
def _the_loop_is_closed() -> Iterator[None]:
    yield
    LOOP.close()
