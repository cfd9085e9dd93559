"""One process per store of record: what every kind of store says when that cannot be had or kept."""

from typing import ClassVar

from qlive_core.errors import StoreUnavailable

WAIT_S = 6.0
"""How long a start waits for another process to let go of the store: longer than an orderly end takes."""


class InUse(StoreUnavailable):
    """Another process uses the store. The text names the store and the process; it is meant for the operator."""

    code: ClassVar[str] = "store.in_use"


class Taken(StoreUnavailable):
    """The store was this process's, and is another one's now. Nothing can be written any more."""

    code: ClassVar[str] = "store.taken"
