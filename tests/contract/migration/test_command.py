"""``qlive migrate``."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo.database import Database

from contract.stores.mongod import Mongod
from qlive_app.migrate.command import migrate as command

from .legacy import NAME, dump, fill_with_everything


def run(tmp_path: Path, uri: str, *options: str, more: str = "") -> Result:
    """Run ``qlive migrate`` with that server."""
    conf = tmp_path / "qlive.conf"
    conf.write_text(f'{{"mongo": {{"uri": "{uri}", "database": "{NAME}"}}{more}}}')
    return CliRunner().invoke(command, ["-f", str(conf), *options])


def test_command(left: Database[Any], server: Mongod, tmp_path: Path) -> None:
    """The command tells what it would do, does it and says so, and then has nothing to do."""
    fill_with_everything(left)
    before = dump(left)
    dry = run(tmp_path, server.uri, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "would be" in dry.output
    assert "Dry run: nothing was written." in dry.output
    assert dump(left) == before
    wet = run(tmp_path, server.uri)
    assert wet.exit_code == 0, wet.output
    assert "phone 137****0000 has several accounts: 'oldest' is the oldest" in wet.output
    assert "account 'odd' is kept without what cannot be read: nickname, gender" in wet.output
    assert "set to 13" in wet.output
    assert "qlive_migration_backup, as run 1" in wet.output.replace("\n", " ")
    assert "13700000000" not in dry.output + wet.output
    again = run(tmp_path, server.uri)
    assert (again.exit_code, again.output.strip()) == (0, f"{NAME}: nothing to do")


def test_command_without_mongo(tmp_path: Path) -> None:
    """A configuration without a MongoDB server, or with mistakes, is told and exits with 2."""
    embedded = run(tmp_path, "")
    assert embedded.exit_code == 2
    assert "mongo.uri" in embedded.output
    mistaken = run(tmp_path, "mongodb://127.0.0.1/", more=', "max_rooms": -1')
    assert mistaken.exit_code == 2
    assert "max_rooms" in mistaken.output


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/", "mongodb://127.0.0.1:x/"])
def test_command_without_server(tmp_path: Path, uri: str) -> None:
    """A database that cannot be reached, or an address that is none, is one clear line and exits with 3."""
    result = run(tmp_path, uri)
    assert result.exit_code == 3
    [line] = result.output.strip().splitlines()
    assert line.startswith("qlive: cannot ")
    assert "MongoDB" in line
    assert len(line) < 200
