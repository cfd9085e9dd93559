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
    """A named store outweighs a mongo section, and the operator is told that the address is not used."""
    chosen: dict[str, Any] = {"store": {"provider": "sqlite"}}
    for document, environ in ((chosen | {"mongo": {"uri": URI}}, {}), (chosen, {"QLIVE_MONGO_URI": URI})):
        loaded = read_settings(json.dumps(document), environ, source="qlive.conf")
        assert loaded.settings.store.provider == "sqlite"
        (warning,) = loaded.warnings
        assert (warning.path, "hunter2" in str(warning)) == ("mongo.uri", False)


@pytest.mark.parametrize(
    "uri", ["localhost:27017", "http://localhost", "mongo://localhost", "mongodb:localhost"]
)
def test_an_address_of_mongodb_has_its_scheme(uri: str) -> None:
    """What has none is refused before anything tries to connect."""
    assert refusal({"mongo": {"uri": uri}}).startswith("qlive.conf: mongo.uri: is not the address")


def test_who_is_open_to_strangers_is_told() -> None:
    """Fixed codes and printed ones are for trying out; beside a real provider fixed codes are most likely a mistake."""
    fixed = {"fixed_codes": {"13800000001": "123456"}}
    loaded = read_settings(json.dumps({"sms": fixed}), {}, source="qlive.conf")
    assert {note.path for note in loaded.notes} == {"sms.provider", "sms.fixed_codes"}
    real = {
        "provider": "qiniu",
        "qiniu_sms": {"template_id": "t", "key_pair": {"access_key": "a", "secret_key": "s"}},
    }
    loaded = read_settings(json.dumps({"sms": fixed | real}), {}, source="qlive.conf")
    assert (loaded.notes, [warning.path for warning in loaded.warnings]) == ((), ["sms.fixed_codes"])
    assert "123456" not in str(loaded.warnings)


def test_mongo_without_uri() -> None:
    """A mongo section without a server leads to the embedded store, and a warning."""
    loaded = read_settings('{"mongo": {"uri": "", "database": "x"}}', {}, source="qlive.conf")
    assert loaded.settings.store == Settings().store
    assert [warning.path for warning in loaded.warnings] == ["mongo"]
