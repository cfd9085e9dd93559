"""The whole contract.

A set of stores keeps it if a subclass of ``StoresContract`` passes whose fixture ``ground`` yields a fresh one.
"""

import pytest

from qlive_adapters.mirror.wrapped import Stores

from .facts_contract import FactsContract
from .kinds import Ground
from .people_contract import (
    AccountsContract,
    FeedbackContract,
    FeedbackMailsContract,
    PresencesContract,
    SendingsContract,
    SessionsContract,
)
from .pks_contract import PksContract
from .rooms_contract import PlacesContract, RoomsContract
from .storm_contract import StormContract


class StoresContract(
    FactsContract,
    AccountsContract,
    SendingsContract,
    SessionsContract,
    RoomsContract,
    PlacesContract,
    PksContract,
    PresencesContract,
    FeedbackContract,
    FeedbackMailsContract,
    StormContract,
):
    """All suites."""

    @pytest.fixture
    def stores(self, ground: Ground) -> Stores:
        """The stores of a fresh ground."""
        return ground.stores
