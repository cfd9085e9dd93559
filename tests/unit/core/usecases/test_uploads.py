"""Files and feedback."""

import pytest

from core.world import World
from qlive_core.effects import Outcome


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(0, 3600), (-1, 3600), (1, 1), (3600, 3600), (86400, 86400), (86401, 86400), (10**12, 86400)],
)
def test_an_upload_has_one_deadline(world: World, asked: int, granted: int) -> None:
    """No or a negative time means an hour, a day is the most; token and answer say the same."""
    permission = world.uploads.permit("user-1", "a.png", asked)
    assert permission.expires_at == int(world.clock.now()) + granted
    assert permission.token == f"up:a.png:user-1:{permission.expires_at}"


async def test_feedback_is_numbered_and_kept(world: World) -> None:
    """Numbers count from 1; the attachment is stored as a URL that works."""
    assert await world.uploads.give_feedback("user-1", "hello", "logs/1.zip") == Outcome(1)
    assert await world.uploads.give_feedback("user-2", "", "") == Outcome(2)
    first, second = await world.stores.feedback.get(1), await world.stores.feedback.get(2)
    assert first is not None
    assert second is not None
    assert (first.sender, first.content, first.attachment) == (
        "user-1",
        "hello",
        "http://files.test/logs/1.zip",
    )
    assert second.attachment == ""
