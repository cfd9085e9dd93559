"""Which store is meant."""

import json
from typing import Any

import pytest

from qlive_app.config import ConfigError, Settings, read_settings

URI = "mongodb://user:hunter2@localhost"


def refusal(document: dict[str, Any], **environ: str) -> str:
    """Read a document that cannot be used, and return the whole message."""
    with pytest.raises(ConfigError) as caught:
        read_settings(json.dumps(document), environ, source="qlive.conf")
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "environ"),
    [
        ({"store": {"provider": "mongo"}, "mongo": {"uri": URI}}, {}),
        ({"mongo": {"uri": URI, "database": "qlive"}}, {}),
        ({}, {"QLIVE_MONGO_URI": URI}),
        ({"store": {"path": "x.db"}, "mongo": {"uri": URI}}, {}),
    ],
)
def test_mongo(document: dict[str, Any], environ: dict[str, str]) -> None:
    """MongoDB is the store if it is asked for by name, or by a URI without a word about the store."""
    settings = read_settings(json.dumps(document), environ, source="qlive.conf").settings
    assert (settings.store.provider, settings.mongo.uri) == ("mongo", URI)


def test_mongo_needs_a_uri() -> None:
    """MongoDB without a server is refused with a remedy."""
    assert refusal({"store": {"provider": "mongo"}}).startswith("qlive.conf: mongo.uri: is needed")


def test_mongo_beside_sqlite() -> None:
    """The remedy works: a named store outweighs a mongo section."""
    text = json.dumps({"store": {"provider": "sqlite"}, "mongo": {"uri": URI}})
    loaded = read_settings(text, {}, source="qlive.conf")
    assert (loaded.settings.store.provider, loaded.warnings) == ("sqlite", ())


def test_mongo_without_uri() -> None:
    """A mongo section without a server leads to the embedded store, and a warning."""
    loaded = read_settings('{"mongo": {"uri": "", "database": "x"}}', {}, source="qlive.conf")
    assert loaded.settings.store == Settings().store
    assert [warning.path for warning in loaded.warnings] == ["mongo"]
