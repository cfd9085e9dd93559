"""What the commands share: the option that names the configuration, reading it, and giving up with one line."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from qlive_app.config import ConfigError, Loaded, Problem, load_settings

EXIT_CONFIGURATION = 2
EXIT_START = 3
"""The configuration is fine, but something that it names cannot be had."""

_DEFAULT_FILE = Path("qlive.conf")


def _chosen(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    """Return the file that was named behind the command, or before it, or the default."""
    if value is not None:
        return value
    before: Path = context.parent.params.get("path", _DEFAULT_FILE) if context.parent else _DEFAULT_FILE
    return before


configuration_file = click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_chosen,
    show_default=str(_DEFAULT_FILE),
    help="Configuration file.",
)


def load_or_exit(path: Path) -> Loaded:
    """Read the configuration and show its warnings; if it cannot be used, name every problem and exit."""
    try:
        loaded = load_settings(path, os.environ)
    except ConfigError as error:
        _warn(path, error.warnings)
        click.echo(str(error), err=True)
        sys.exit(EXIT_CONFIGURATION)
    _warn(path, loaded.warnings)
    return loaded


def give_up(reason: str, code: int = EXIT_START) -> NoReturn:
    """Say why in one line, and exit."""
    with contextlib.suppress(OSError):  # a full disk behind the stream must not change the exit code
        click.echo(f"qlive: {reason}", err=True)
    sys.exit(code)


def in_use(path: Path, key: str, error: Exception) -> str:
    """Return the line about a store that another process has: the file, the key that names the store, the remedy."""
    return f"{path}: {key}: {error}; stop that process first, or name another one here"


def _warn(path: Path, warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        with contextlib.suppress(OSError):
            click.echo(f"{path}: warning: {warning}", err=True)
