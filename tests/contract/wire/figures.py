"""Metrics as a monitoring system reads them."""

import re

from .client import ApiClient

Labels = tuple[tuple[str, str], ...]

# Read by hand: the client library's parser corrects the names of counters, and here they matter as they are.
_KIND = re.compile(r"# TYPE (\w+) (\w+)")
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Figures:
    """All samples of one look at a server's metrics; `kinds` are the types of the metrics by name."""

    def __init__(self, text: str) -> None:
        self.kinds = dict(_KIND.findall(text))
        self._samples: dict[str, dict[Labels, float]] = {}
        for name, labels, value in map(_parts, filter(_is_sample, text.splitlines())):
            self._samples.setdefault(name, {})[labels] = value

    @classmethod
    async def of(cls, api: ApiClient, path: str = "/metrics") -> "Figures":
        """Look at the metrics that are shown under `path`."""
        answer = await api.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        return cls(answer.text)

    def labels(self, name: str) -> list[dict[str, str]]:
        """Return the labels of each series of that name."""
        return [dict(labels) for labels in self._samples.get(name, {})]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the series of that name which have these labels."""
        wanted = labels.items()
        series = self._samples.get(name, {})
        return sum(value for found, value in series.items() if wanted <= dict(found).items())


def _is_sample(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _parts(line: str) -> tuple[str, Labels, float]:
    match = _SAMPLE.fullmatch(line)
    assert match is not None, line
    return match[1], tuple(_LABEL.findall(match[2] or "")), float(match[3])
