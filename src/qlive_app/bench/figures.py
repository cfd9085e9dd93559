"""From latencies to figures: percentiles of a slice, medians and ratios over rounds."""

from collections.abc import Sequence
from math import ceil
from statistics import median

import attrs

from qlive_app.bench.slices import Work


@attrs.frozen
class Quantiles:
    """Two latencies in milliseconds."""

    p50_ms: float
    p99_ms: float


@attrs.frozen
class Figures:
    """One slice in numbers. ``*_us`` is processor time per operation, ``*_busy`` the share of a core.

    Those of the store are None unless it is a process of its own, and of this machine.
    """

    rate: float
    steps: dict[str, Quantiles]
    server_us: float
    server_busy: float
    load_busy: float
    store_us: float | None = None
    store_busy: float | None = None


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed; the values come sorted."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def boil_down(
    work: Work, *, server_cpu_s: float, load_cpu_s: float, store_cpu_s: float | None = None
) -> Figures:
    """The figures of a slice in which at least one operation ended."""
    return Figures(
        rate=work.operations / work.elapsed_s,
        steps={step: _quantiles(times) for step, times in work.latencies_s.items()},
        server_us=server_cpu_s / work.operations * 1e6,
        server_busy=server_cpu_s / work.elapsed_s,
        load_busy=load_cpu_s / work.elapsed_s,
        store_us=None if store_cpu_s is None else store_cpu_s / work.operations * 1e6,
        store_busy=None if store_cpu_s is None else store_cpu_s / work.elapsed_s,
    )


def typical(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over the rounds."""
    steps = {
        step: Quantiles(
            median(each.steps[step].p50_ms for each in rounds),
            median(each.steps[step].p99_ms for each in rounds),
        )
        for step in rounds[0].steps
    }
    return Figures(
        rate=median(each.rate for each in rounds),
        steps=steps,
        server_us=median(each.server_us for each in rounds),
        server_busy=median(each.server_busy for each in rounds),
        load_busy=median(each.load_busy for each in rounds),
        store_us=_median_if_known([each.store_us for each in rounds]),
        store_busy=_median_if_known([each.store_busy for each in rounds]),
    )


def rate_ratio(rounds: Sequence[Figures], yardstick: Sequence[Figures]) -> float:
    """The median over the rounds of rate by rate: neighbours in time share the machine's moods."""
    return median(own.rate / other.rate for own, other in zip(rounds, yardstick, strict=True))


def _median_if_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _quantiles(times_s: list[float]) -> Quantiles:
    ordered = sorted(times_s)
    return Quantiles(quantile(ordered, 0.50) * 1e3, quantile(ordered, 0.99) * 1e3)
