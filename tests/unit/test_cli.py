"""The command line, without a server."""

import subprocess
import sys

import click
import pytest

from qlive_app.cli import ELSEWHERE, main

HEAVY = ("beanie", "hypothesis", "httpx", "litestar", "pydantic", "pymongo", "rich", "uvicorn", "uvloop")


def test_help_does_not_load_what_it_does_not_need() -> None:
    """It is there at once: no framework, no driver and no other command is imported for it."""
    script = (
        "import sys\n"
        "from qlive_app.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    assert not set(HEAVY) & set(loaded)
    for name in ELSEWHERE:
        assert f"\n  {name}" in done.stdout


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_help_says_is_what_the_command_says(name: str) -> None:
    """The summary begins as the command's own help does."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    said = " ".join((command.help or "").split("\n\n")[0].split())
    assert said.rstrip(".").startswith(ELSEWHERE[name][1].rstrip("."))
