"""The command `qlive`, run until it ends by itself."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

ENDS_WITHIN_S = 20.0


@attrs.frozen
class Ended:
    """How a run ended: its exit code and the lines that it wrote."""

    code: int
    out: list[str]
    err: list[str]


def qlive(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run the command; a run that goes on for too long fails the test and leaves nothing behind."""
    done = subprocess.run(
        [sys.executable, "-m", "qlive_app", *map(str, arguments)],
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout.splitlines(), done.stderr.splitlines())
