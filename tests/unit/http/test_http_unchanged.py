"""Replies that are sent again until a fact changes."""

import pytest

from qlive_app.http.replies import Reply
from qlive_app.http.unchanged import UnchangedReplies
from qlive_core.errors import NoSuchRoom


class _Facts:
    """Facts that change when told to, and replies that show how often they had."""

    def __init__(self) -> None:
        self.version = 0

    async def show(self) -> Reply:
        return Reply(b"%d" % self.version)

    async def show_while_changing(self) -> Reply:
        shown = await self.show()
        self.version += 1
        return shown


async def test_a_reply_is_made_once_while_nothing_changes() -> None:
    """And anew after any change; other keys have replies of their own."""
    facts = _Facts()
    kept = UnchangedReplies(lambda: facts.version)
    first = await kept.get("a", facts.show)
    assert await kept.get("a", facts.show) is first
    assert await kept.get("b", facts.show) is not first
    facts.version = 1
    assert (await kept.get("a", facts.show)).body == b"1"


async def test_a_reply_that_was_overtaken_is_not_kept() -> None:
    """What was read before a change is never shown after it."""
    facts = _Facts()
    kept = UnchangedReplies(lambda: facts.version)
    assert (await kept.get("a", facts.show_while_changing)).body == b"0"
    assert (await kept.get("a", facts.show)).body == b"1"


async def test_refusals_are_not_kept() -> None:
    """A room that does not exist may exist the next time."""
    facts = _Facts()
    kept = UnchangedReplies(lambda: facts.version)

    async def refuse() -> Reply:
        raise NoSuchRoom

    with pytest.raises(NoSuchRoom):
        await kept.get("a", refuse)
    assert (await kept.get("a", facts.show)).body == b"0"


async def test_without_a_version_nothing_is_kept() -> None:
    """Nobody could tell when it is stale."""
    facts = _Facts()
    kept = UnchangedReplies(None)
    await kept.get("a", facts.show)
    facts.version = 1
    assert (await kept.get("a", facts.show)).body == b"1"


async def test_only_so_many_are_kept() -> None:
    """Beyond that replies are right and made each time."""
    facts = _Facts()
    kept = UnchangedReplies(lambda: facts.version, capacity=1)
    first = await kept.get("a", facts.show)
    second = await kept.get("b", facts.show)
    assert await kept.get("a", facts.show) is first
    assert await kept.get("b", facts.show) is not second
