"""Presences in MongoDB."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from qlive_adapters.mongo.documents import PresenceDocument
from qlive_adapters.mongo.facts import LIVE, MongoFactStore, Shape
from qlive_adapters.mongo.walk import pages
from qlive_core.model.presence import Presence


def _encode(presence: Presence) -> PresenceDocument:
    return PresenceDocument(
        id=presence.user_id,
        connection_id=presence.connection_id,
        node=presence.node,
        expires_at=presence.expires_at,
        capabilities=tuple(sorted(presence.capabilities)),
        rev=presence.rev,
        im=presence.im,
    )


def _decode(stored: PresenceDocument) -> Presence:
    return Presence(
        stored.id,
        stored.connection_id,
        stored.node,
        stored.expires_at,
        frozenset(stored.capabilities),
        stored.im,
        stored.rev,
    )


class MongoPresences(MongoFactStore[Presence]):
    """Implements PresenceStore."""

    shape = Shape(Presence, PresenceDocument, "user_id", _encode, _decode)

    async def get_many(self, user_ids: Collection[str]) -> Mapping[str, Presence]:
        """As PresenceStore.get_many."""
        found = await self._select({"_id": {"$in": list(user_ids)}})
        return {presence.user_id: presence for presence in found}

    async def all(self) -> Sequence[Presence]:
        """As PresenceStore.all."""
        return await self._all()

    async def due(self, before: float) -> Sequence[Presence]:
        """As PresenceStore.due."""
        return await self._select({"expires_at": {"$lt": before}})

    async def expect_all(self, until: float, *, node: str) -> None:
        """As PresenceStore.expect_all."""
        connected = {"expires_at": None, "node": {"$ne": node}}
        leased = {"connection_id": "", "expires_at": {"$lt": until}}
        change = {"$set": {"expires_at": until}, "$inc": {"rev": 1}}
        concerned = {"$or": [connected, leased], **LIVE}
        async for page in pages(self._gate, self._collection):
            some = {"_id": {"$gte": page[0]["_id"], "$lte": page[-1]["_id"]}, **concerned}
            await self._gate.commit(partial(self._collection.update_many, some, change))
