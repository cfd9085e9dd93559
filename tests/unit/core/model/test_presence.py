"""The presence machine: the table, and that the fact's methods do what it says."""

from collections.abc import Callable

import pytest

from qlive_core.model.presence import TABLE, Presence, PresenceEvent, PresenceState

ROWS: dict[PresenceState, Presence] = {
    PresenceState.LEASE: Presence("user-1", "", "node-1", 100.0),
    PresenceState.OPEN: Presence("user-1", "conn-1", "node-1", None),
    PresenceState.GRACE: Presence("user-1", "conn-1", "node-1", 100.0),
}

CHANGES: dict[PresenceEvent, Callable[[Presence], Presence]] = {
    PresenceEvent.CONNECT: lambda presence: presence.connected("conn-2", "node-2"),
    PresenceEvent.DROP: lambda presence: presence.until(120.0),
    PresenceEvent.RENEW: lambda presence: presence.until(160.0),
    PresenceEvent.TAKE_PLACE: lambda presence: presence.leased(160.0, "node-2"),
    PresenceEvent.SEEN: lambda presence: presence.seen_over_im(160.0),
}


def test_every_state_has_a_row() -> None:
    """The table names every state."""
    assert list(TABLE) == list(PresenceState)


def test_the_whole_table() -> None:
    """These are all the transitions there are; None is the end."""
    lease, is_open, grace = PresenceState.LEASE, PresenceState.OPEN, PresenceState.GRACE
    connect, drop, renew = PresenceEvent.CONNECT, PresenceEvent.DROP, PresenceEvent.RENEW
    take, expire, leave = PresenceEvent.TAKE_PLACE, PresenceEvent.EXPIRE, PresenceEvent.LEAVE
    seen = PresenceEvent.SEEN
    expected = {
        lease: {connect: is_open, renew: lease, take: lease, seen: lease, expire: None, leave: None},
        is_open: {connect: is_open, drop: grace, take: is_open, seen: is_open, leave: None},
        grace: {connect: is_open, renew: grace, take: lease, seen: grace, expire: None, leave: None},
    }
    assert expected == TABLE


@pytest.mark.parametrize("state", PresenceState)
def test_the_state_follows_from_the_fields(state: PresenceState) -> None:
    """No deadline is open; a deadline is grace after a connection and a lease without one."""
    assert ROWS[state].state is state


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (state, event)
        for state, row in TABLE.items()
        for event in row
        # A user with a connection needs no lease: nothing is written.
        if event in CHANGES and (state, event) != (PresenceState.OPEN, PresenceEvent.TAKE_PLACE)
    ],
)
def test_changes_lead_where_the_table_says(state: PresenceState, event: PresenceEvent) -> None:
    """Each change of the fact arrives in the state that the table names, and keeps user and revision."""
    before = ROWS[state]
    after = CHANGES[event](before)
    assert after.state is TABLE[state][event]
    assert (after.user_id, after.rev) == (before.user_id, before.rev)


def test_only_deadlines_expire_and_only_connections_drop() -> None:
    """An open presence never expires, and what has no connection cannot lose one."""
    assert PresenceEvent.EXPIRE not in TABLE[PresenceState.OPEN]
    assert PresenceEvent.DROP not in TABLE[PresenceState.LEASE]
    assert PresenceEvent.DROP not in TABLE[PresenceState.GRACE]


def test_every_state_can_end() -> None:
    """No presence is for ever: from each state some way leads out."""
    for row in TABLE.values():
        assert None in row.values()


def test_an_app_is_able_to_do_what_is_known() -> None:
    """What the server does not know is not kept; what was announced last counts, on later connections too."""
    presence = ROWS[PresenceState.OPEN].able(["seats", "telepathy"])
    assert presence.capabilities == {"seats"}
    assert presence.until(9.0).connected("conn-2", "node-2").capabilities == {"seats"}
    assert presence.able([]).capabilities == frozenset()
