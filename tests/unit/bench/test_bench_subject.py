"""The server that the bench starts is one that an operator could have configured."""

import json
from collections.abc import Mapping
from pathlib import Path

from qlive_app.bench.stores import mongo_sections, sqlite_sections
from qlive_app.bench.subject import SMS_CODE, configuration, phone
from qlive_app.config import Loaded, read_settings


def loaded(store: Mapping[str, object]) -> Loaded:
    return read_settings(json.dumps(configuration(store, 18081, 18082, users=3)), {}, source="bench")


def test_the_configuration_under_test_is_valid_to_the_last_key() -> None:
    """No key of it is unknown, wrong or without effect, so the limits are off and the store is on disk."""
    result = loaded(sqlite_sections(Path("bench")))
    assert result.warnings == ()
    assert result.settings.store.path == "bench/qlive.db"
    assert result.settings.sms.fixed_codes == {phone(number): SMS_CODE for number in range(3)}
    assert result.settings.websocket_conf.message_rate_per_s >= 1_000_000


def test_on_mongodb_it_names_the_server_and_the_database() -> None:
    """It differs from the other one in its store only."""
    result = loaded(mongo_sections("mongodb://127.0.0.1:27018/", "qlive_bench_1"))
    assert result.warnings == ()
    assert result.settings.store.provider == "mongo"
    assert result.settings.mongo.uri == "mongodb://127.0.0.1:27018/"
    assert result.settings.mongo.database == "qlive_bench_1"
