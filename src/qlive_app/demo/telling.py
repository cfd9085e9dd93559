"""What somebody who watches sees: who does what, what went over the wire, and how long it took."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

_NAME_WIDTH = 10
_MAX_LINES = 4
# In JSON as well as in the text of a value, which is what an error shows.
_TOKEN = re.compile(r"""(token["']?[:=]\s*["'][^"']{6})[^"']+""", re.IGNORECASE)
_TO_COMMA = re.compile(r"[^,]*,|[^,]+$")
_SMS_CODE = re.compile(r'(smsCode":")[^"]+')


class Telling:
    """Tells steps as they happen, with a pause of ``pause_s`` seconds after each for the reader."""

    def __init__(self, console: Console, *, pause_s: float) -> None:
        self._console = console
        self._pause_s = pause_s
        self._wire: list[str] = []
        self._steps = 0
        self.now = ""
        """The step that is being told, as a sentence."""

    def trace(self, line: str) -> None:
        """Note what went over the wire during this step."""
        self._wire.append(line)

    def chapter(self, title: str) -> None:
        self._console.print()
        self._console.print(Rule(Text(title, style="bold"), align="left", style="dim"))

    @asynccontextmanager
    async def step(self, who: str, what: str, *, brief: bool = False) -> AsyncIterator[None]:
        """Time what happens in the block and tell it, also if it fails.

        ``brief`` leaves out what went over the wire, for what was shown before with somebody else.
        """
        self._wire.clear()
        self.now = f"{who} {what}"
        began = time.perf_counter()
        mark = Text("✗", "red")
        try:
            yield
            mark = Text("✓", "green")
            self._steps += 1
        finally:
            elapsed_ms = (time.perf_counter() - began) * 1000
            self._tell(mark, who, what, elapsed_ms)
            if not brief:
                self._tell_wire()
        await asyncio.sleep(self._pause_s)

    def end(self) -> None:
        """Sum up."""
        self._console.print()
        self._console.print(f"{self._steps} steps, each as it should be.")

    def _tell(self, mark: Text, who: str, what: str, elapsed_ms: float) -> None:
        took = f"{elapsed_ms:.1f} ms" if elapsed_ms < 100 else f"{elapsed_ms:.0f} ms"
        head = Text.assemble(mark, " ", (who.ljust(_NAME_WIDTH), "bold cyan"), what)
        gap = self._console.width - head.cell_len - cell_len(took)
        self._console.print(Text.assemble(head, " " * max(gap, 1), (took, "dim")), no_wrap=True, crop=False)

    def _tell_wire(self) -> None:
        indent = " " * (_NAME_WIDTH + 2)
        for line in self._wire:
            parts = _folded(without_secrets(line), self._console.width - len(indent) - 2)
            if len(parts) > _MAX_LINES:
                parts = [*parts[: _MAX_LINES - 1], "…"]
            for number, part in enumerate(parts):
                self._console.print(Text(indent + "  " * bool(number) + part, style="dim"), crop=False)


def _folded(line: str, width: int) -> list[str]:
    """The line in parts of at most ``width`` cells, broken after commas as far as possible."""
    parts = [""]
    for piece in _TO_COMMA.findall(line):
        if parts[-1] and cell_len(parts[-1] + piece) > width:
            parts.append("")
        parts[-1] += piece
    return [chopped for part in parts for chopped in chop_cells(part, width)]


def without_secrets(line: str) -> str:
    """The line with tokens cut to a few characters and codes covered."""
    return _SMS_CODE.sub(r"\1••••••", _TOKEN.sub(r"\1…", line))
