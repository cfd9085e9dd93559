"""Vendors under test, and what is told about their calls."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from attrs import define, field

from qlive_adapters.outgoing import Vendor


@define
class Recorder:
    """Keeps what an observer is told."""

    calls: list[tuple[str, str, str, float]] = field(factory=list)
    circuits: list[bool] = field(factory=list)

    def observe_vendor_call(self, vendor: str, operation: str, outcome: str, seconds: float) -> None:
        self.calls.append((vendor, operation, outcome, seconds))

    def observe_vendor_circuit(self, vendor: str, *, is_open: bool) -> None:
        self.circuits.append(is_open)

    @property
    def outcomes(self) -> list[str]:
        """The outcomes of the calls."""
        return [outcome for _, _, outcome, _ in self.calls]


OpenVendor = Callable[..., Vendor]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def vendor(recorder: Recorder) -> AsyncIterator[OpenVendor]:
    """Open vendors that are closed at the end; they are left alone only after very many failures."""
    opened: list[Vendor] = []

    def open_vendor(*hosts: str, failures: int = 1000, **options: Any) -> Vendor:
        opened.append(Vendor("acme", hosts, recorder, failures=failures, **options))
        return opened[-1]

    yield open_vendor
    for each in opened:
        await each.aclose()
