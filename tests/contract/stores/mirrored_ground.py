"""A mirror under the contract, whatever it stands in front of."""

from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.mirror.wrapped import Stores

from .kinds import Ground


class MirroredGround:
    """A mirror in front of an empty store; a new one starts empty and loads."""

    def __init__(self, truth: Ground, *, capacity: int) -> None:
        self._truth = truth
        self._capacity = capacity
        self.stores: Stores = Mirror(truth.stores, capacity=capacity)

    async def reopen(self) -> None:
        """Close the store, open it again and load."""
        await self._truth.reopen()
        mirror = Mirror(self._truth.stores, capacity=self._capacity)
        await mirror.load()
        self.stores = mirror

    async def close(self) -> None:
        """Close the store."""
        await self._truth.close()
