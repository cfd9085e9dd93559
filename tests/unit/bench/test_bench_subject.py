"""The server that the bench starts is one that an operator could have configured."""

import json
from pathlib import Path

from qlive_app.bench.subject import SMS_CODE, configuration, phone
from qlive_app.config import read_settings


def test_the_configuration_under_test_is_valid_to_the_last_key() -> None:
    """No key of it is unknown, wrong or without effect, so the limits are off and the store is on disk."""
    text = json.dumps(configuration(Path("bench"), 18081, 18082, users=3))
    loaded = read_settings(text, {}, source="bench")
    assert loaded.warnings == ()
    assert loaded.settings.store.path == "bench/qlive.db"
    assert loaded.settings.sms.fixed_codes == {phone(number): SMS_CODE for number in range(3)}
    assert loaded.settings.websocket_conf.message_rate_per_s >= 1_000_000
