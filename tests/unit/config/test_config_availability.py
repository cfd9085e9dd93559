"""What this release does not have is said before the server starts."""

import json
from typing import Any

import pytest

from qlive_app.config import ConfigError, Settings, read_settings

URI = "mongodb://user:hunter2@localhost"


def refusal(document: dict[str, Any], **environ: str) -> str:
    """Read a document that asks for what is not there, and return the whole message."""
    with pytest.raises(ConfigError) as caught:
        read_settings(json.dumps(document), environ, source="qlive.conf")
    return str(caught.value)


@pytest.mark.parametrize(("section", "provider"), [("sms", "qiniu")])
def test_clouds(section: str, provider: str) -> None:
    """A cloud whose adapter comes later is an error with the stand-in as its remedy."""
    message = refusal({section: {"provider": provider}})
    assert f"{section}.provider" in message
    assert "not available in this release" in message
    assert f'"{section}": {{"provider": "test"}}' in message


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


def test_what_can_wait() -> None:
    """What the server can do without is a warning."""
    document = {"feedback_mail": {"enabled": True}}
    (warning,) = read_settings(json.dumps(document), {}, source="qlive.conf").warnings
    assert warning.path == "feedback_mail.enabled"
    assert "not available in this release" in warning.message
