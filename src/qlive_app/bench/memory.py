"""What an idle authorised connection costs the server, in resident memory."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import attrs

from qlive_app.bench.population import connect, log_in
from qlive_app.bench.subject import running_qlive

# Connections that come first, so that what the server allocates once is not charged to the crowd.
_FIRST = 50
# The first ping follows auth-res; at the second one the server's timers for the connection have gone round.
_PINGS = 2
_SETTLED_S = 60.0


@attrs.frozen
class Memory:
    """KiB per user, for a login and for an authorised connection that is left alone."""

    connections: int
    login_kib: float
    connection_kib: float


async def weigh_connections(
    directory: Path, store: Mapping[str, object], connections: int, core: int | None
) -> Memory:
    """Fill a fresh qlive with idle connections. Each user's login comes first and is weighed apart."""
    users = _FIRST + connections
    async with running_qlive(directory, store, users=users, core=core) as subject:
        first = await connect(subject, await log_in(subject, range(_FIRST)))
        empty = subject.child.resident_kib()
        tokens = await log_in(subject, range(_FIRST, users))
        logged_in = subject.child.resident_kib()
        crowd = await connect(subject, tokens)
        async with asyncio.timeout(_SETTLED_S):
            await asyncio.gather(*(connection.pinged(_PINGS) for connection in crowd))
        connected = subject.child.resident_kib()
        for connection in (*first, *crowd):
            connection.close()
    return Memory(connections, (logged_in - empty) / connections, (connected - logged_in) / connections)
