"""From a file to settings: defaults, the environment, and every problem at once."""

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.config import (
    Address,
    ConfigError,
    Loaded,
    Problem,
    Settings,
    load_settings,
    read_settings,
    reference_rows,
)

SECRET = "hunter2"
# The reference words the defaults of these, for they follow from other keys.
DERIVED = {"websocket_conf.reconnect_timeout_s", "rtc.provider"}
PATHS = [row.path for row in reference_rows()]


def nested(path: str, value: object) -> dict[str, Any]:
    """Write one key, given by its path, as a document."""
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def load(document: object, **environ: str) -> Loaded:
    """Read a document as if it were in a file."""
    return read_settings(json.dumps(document), environ, source="qlive.conf")


def problems(document: object, **environ: str) -> dict[str, Problem]:
    """Read a document that cannot be used, and return what is wrong with it by path."""
    with pytest.raises(ConfigError) as caught:
        load(document, **environ)
    return {problem.path: problem for problem in caught.value.problems}


def test_an_empty_file_is_enough() -> None:
    """Every section and key may be missing."""
    assert load({}) == Loaded(Settings(), ())


@pytest.mark.parametrize("empty", [None, {}])
def test_empty_sections(empty: object) -> None:
    """An empty section is as good as none."""
    sections = {path.split(".")[0] for path in PATHS if "." in path}
    assert load(dict.fromkeys(sections, empty)).settings == Settings()


@pytest.mark.parametrize("path", PATHS)
def test_null_means_the_default(path: str) -> None:
    """`null` leaves any key at its default."""
    assert load(nested(path, None)) == Loaded(Settings(), ())


@pytest.mark.parametrize(
    ("path", "default"),
    [(row.path, row.default) for row in reference_rows() if row.path not in DERIVED],
)
def test_defaults_are_accepted(path: str, default: str) -> None:
    """Writing a key with the default that the reference states changes nothing."""
    assert load(nested(path, json.loads(default))).settings == Settings()


def test_values_arrive() -> None:
    """Values of each kind end up, typed, in the setting of their name."""
    settings = load(
        {
            "listen_addr": "127.0.0.1:9000",
            "default_avatars": ["a.jpg", "b.jpg"],
            "cors_origins": ["https://example.com", "capacitor://localhost"],
            "trusted_proxies": ["10.0.0.0/8", "::1"],
            "websocket_conf": {"ws_over_tls": True, "external_ws_addr": "wss://live.example.com/qlive/"},
            "sms": {"fixed_codes": {"13800000001": "123456"}},
            "im": {"rongcloud": {"api_hosts": ["http://127.0.0.1:9/"]}},
            "feedback_mail": {"from": "qlive@example.com"},
            "prometheus": {"push_url": "127.0.0.1:9091"},
        }
    ).settings
    assert settings.listen_addr == Address("127.0.0.1", 9000)
    assert settings.default_avatars == ("a.jpg", "b.jpg")
    assert settings.cors_origins == ("https://example.com", "capacitor://localhost")
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"))
    assert settings.websocket_conf.ws_over_tls is True
    assert settings.websocket_conf.external_ws_addr == "wss://live.example.com/qlive/"
    assert settings.sms.fixed_codes == {"13800000001": "123456"}
    assert settings.im.rongcloud.api_hosts == ("http://127.0.0.1:9",)
    assert settings.feedback_mail.from_ == "qlive@example.com"
    assert settings.prometheus.push_url == "http://127.0.0.1:9091"


@pytest.mark.parametrize(
    "path",
    [row.path for row in reference_rows() if "0 means the default" in row.doc and row.default.isdigit()],
)
def test_zero_timeouts(path: str) -> None:
    """A timeout of the original that is 0 means its default; a negative one is an error."""
    assert load(nested(path, 0)).settings == Settings()
    assert problems(nested(path, -1)).keys() == {path}


def test_push_interval() -> None:
    """A push interval of 0 or less means the default, as in the original."""
    assert load({"prometheus": {"push_interval_s": -5}}).settings == Settings()


def test_reconnect_timeout_follows_pong_timeout() -> None:
    """Users keep their place for as long as a connection may be silent, unless said otherwise."""
    assert load({"websocket_conf": {"pong_timeout_s": 33}}).settings.websocket_conf.reconnect_timeout_s == 33
    both = load({"websocket_conf": {"pong_timeout_s": 33, "reconnect_timeout_s": 7}}).settings
    assert both.websocket_conf.reconnect_timeout_s == 7


@pytest.mark.parametrize(
    ("pair", "secret"),
    [
        ({"secert_key": "misspelt"}, "misspelt"),
        ({"secert_key": "misspelt", "secret_key": "right"}, "right"),
        ({"secert_key": "misspelt", "secret_key": ""}, "misspelt"),
    ],
)
def test_misspelt_secret_key(pair: dict[str, str], secret: str) -> None:
    """`secert_key` stands in for a `secret_key` that is missing or empty."""
    loaded = load({"storage": {"key_pair": pair}})
    assert loaded.settings.storage.key_pair.secret_key == secret
    assert loaded.warnings == ()


def test_external_ws_url() -> None:
    """`external_ws_url` is another name of `external_ws_addr`."""
    loaded = load({"websocket_conf": {"external_ws_url": "ws://example.com/qlive"}})
    assert loaded.settings.websocket_conf.external_ws_addr == "ws://example.com/qlive"


def test_capitals_in_keys() -> None:
    """Keys are found whatever their capitals, as the original found them."""
    loaded = load({"Listen_Addr": ":1", "SMS": {"Code_TTL_s": 7}})
    assert (loaded.settings.listen_addr.port, loaded.settings.sms.code_ttl_s) == (1, 7)
    assert loaded.warnings == ()


def test_environment_fills_what_is_empty() -> None:
    """Credentials come from the environment where the file has none, and from the file where it has them."""
    settings = load(
        {"storage": {"key_pair": {"access_key": "", "secret_key": "from-file"}}},
        QINIU_ACCESS_KEY="from-env",
        QINIU_SECRET_KEY="from-env",
        RONGCLOUD_APP_SECRET="rong",
    ).settings
    assert settings.storage.key_pair.access_key == "from-env"
    assert settings.storage.key_pair.secret_key == "from-file"
    assert settings.rtc.key_pair == settings.sms.qiniu_sms.key_pair
    assert settings.rtc.key_pair.secret_key == "from-env"
    assert settings.im.rongcloud.app_secret == "rong"


def test_environment_is_checked() -> None:
    """A variable that does not fit is named, without its value."""
    found = problems({}, QLIVE_SMTP_PASSWORD=f"{SECRET}\n")["feedback_mail.password"]
    assert "QLIVE_SMTP_PASSWORD" in str(found)
    assert SECRET not in str(found)


def test_rtc_provider_follows_credentials() -> None:
    """Room tokens are Qiniu's as soon as there is all it takes to sign them."""
    rtc = {"app_id": "app", "key_pair": {"access_key": "a", "secret_key": "s"}}
    assert load({"rtc": rtc}).settings.rtc.provider == "qiniu"
    assert load({"rtc": rtc | {"provider": "test"}}).settings.rtc.provider == "test"
    assert load({"rtc": {"app_id": "app"}}).settings.rtc.provider == "test"


def test_rtc_credentials_are_needed() -> None:
    """Asking for Qiniu without credentials is an error for each that is missing."""
    found = problems({"rtc": {"provider": "qiniu", "key_pair": {"access_key": "a"}}})
    assert found.keys() == {"rtc.app_id", "rtc.key_pair.secret_key"}
    assert "QINIU_RTC_APP_ID" in found["rtc.app_id"].remedy


def test_sms_credentials_are_needed() -> None:
    """Asking for Qiniu's messages without what they take is an error for each that is missing."""
    sms = {"provider": "qiniu"}
    found = problems({"sms": sms}, QINIU_ACCESS_KEY="a")
    assert found.keys() == {"sms.qiniu_sms.key_pair.secret_key", "sms.qiniu_sms.template_id"}
    assert "QINIU_SMS_TEMP_ID" in found["sms.qiniu_sms.template_id"].remedy
    loaded = load({"sms": sms}, QINIU_ACCESS_KEY="a", QINIU_SECRET_KEY="s", QINIU_SMS_TEMP_ID="1")
    assert (loaded.settings.sms.provider, loaded.warnings) == ("qiniu", ())


def test_sms_without_tls() -> None:
    """Codes are secrets, so plain HTTP is for this machine only."""
    keys = {"access_key": "a", "secret_key": "s"}
    for host, warned in (("http://[::1]:1", False), ("http://sms.example.com", True)):
        qiniu = {"api_host": host, "template_id": "1", "key_pair": keys}
        warnings = load({"sms": {"provider": "qiniu", "qiniu_sms": qiniu}}).warnings
        assert [warning.path for warning in warnings] == ["sms.qiniu_sms.api_host"] * warned


@pytest.mark.parametrize(
    ("security", "missing"),
    [
        ("none", ""),
        ("static", "rtc.publish_key"),
        ("expiry", "rtc.publish_key"),
        ("expiry_sk", "rtc.key_pair"),
    ],
)
def test_publish_keys_are_needed(security: str, missing: str) -> None:
    """A protected hub takes the key that its way of protection goes by."""
    document = {"rtc": {"publish_security": security}}
    if missing:
        assert problems(document).keys() == {missing}
    environ = {"QLIVE_PUBLISH_KEY": "k", "QINIU_ACCESS_KEY": "a", "QINIU_SECRET_KEY": "s"}
    assert load(document, **environ).settings.rtc.publish_security == security


def test_im_credentials_are_needed() -> None:
    """Asking for RongCloud without credentials is an error for each that is missing."""
    im = {"provider": "rongcloud"}
    found = problems({"im": im}, RONGCLOUD_APP_KEY="key")
    assert found.keys() == {"im.rongcloud.app_secret"}
    assert "RONGCLOUD_APP_SECRET" in found["im.rongcloud.app_secret"].remedy
    loaded = load({"im": im}, RONGCLOUD_APP_KEY="key", RONGCLOUD_APP_SECRET="secret")
    assert (loaded.settings.im.provider, loaded.warnings) == ("rongcloud", ())


def test_im_signalling_needs_an_im_cloud() -> None:
    """To prefer IM without a cloud that carries it is worth a warning, and keeps nobody from WebSocket."""
    signaling = {"type": "im"}
    assert [warning.path for warning in load({"signaling": signaling}).warnings] == ["signaling.type"]
    im = {"provider": "rongcloud", "rongcloud": {"app_key": "k", "app_secret": "s"}}
    assert load({"signaling": signaling, "im": im}).warnings == ()


@pytest.mark.parametrize(
    ("host", "warned"), [("http://127.0.0.1:1", False), ("http://api.example.com", True)]
)
def test_im_without_tls(host: str, warned: bool) -> None:
    """RongCloud's signatures cover no body, so plain HTTP is for this machine only."""
    im = {"provider": "rongcloud", "rongcloud": {"app_key": "k", "app_secret": "s", "api_hosts": [host]}}
    paths = [warning.path for warning in load({"im": im}).warnings]
    assert paths == ["im.rongcloud.api_hosts"] * warned


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("debug_level", 4),
        ("debug_level", True),
        ("debug_level", "1"),
        ("debug_level", 1.0),
        ("listen_addr", "8080"),
        ("listen_addr", 8080),
        ("max_rooms", -1),
        ("default_avatars", "1.jpg"),
        ("default_avatars", ["1.jpg", ""]),
        ("cors_origins", ["example.com"]),
        ("cors_origins", ["https://example.com/"]),
        ("trusted_proxies", ["localhost"]),
        ("store", "sqlite"),
        ("store.provider", "redis"),
        ("store.path", "data\u0000.db"),
        ("websocket_conf", ["listen_addr"]),
        ("websocket_conf.serve_uri", "qlive"),
        ("websocket_conf.ws_over_tls", 1),
        ("websocket_conf.external_ws_addr", "live.example.com"),
        ("websocket_conf.external_ws_port", 65536),
        ("websocket_conf.max_message_bytes", 10),
        ("session.ttl_s", 0),
        ("sms.provider", "Test"),
        ("sms.fixed_codes", {"13800000001": 123456}),
        ("sms.fixed_codes", {"13800000001": ""}),
        ("rtc.api_host", "rtc.example.com"),
        ("rtc.api_host", "https://"),
        ("im.rongcloud.api_hosts", ["ftp://example.com"]),
        ("im.system_user_id", "\ud800"),
        ("prometheus.push_url", "http://host:port"),
        ("prometheus.push_url", "http://"),
    ],
)
def test_values_that_do_not_fit(path: str, value: object) -> None:
    """A value of a wrong type, range or form is one error at its key, with a remedy."""
    found = problems(nested(path, value))
    assert found.keys() == {path}
    assert found[path].remedy


def test_all_problems_at_once() -> None:
    """One look at the error is enough to mend the whole file."""
    with pytest.raises(ConfigError) as caught:
        load({"listen_addr": "x", "sms": {"provider": "pigeon"}, "store": 1, "session": {"ttl_s": -1}})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["qlive.conf", "listen_addr"],
        ["qlive.conf", "store"],
        ["qlive.conf", "session.ttl_s"],
        ["qlive.conf", "sms.provider"],
    ]
    assert lines[3] == (
        'qlive.conf: sms.provider: must be "test" or "qiniu", not "pigeon";'
        ' correct it or leave it out for the default, "test"'
    )


def test_ports_must_differ() -> None:
    """The two servers cannot share a port, except port 0, which is a free one for each."""
    assert problems({"listen_addr": ":8082"}).keys() == {"websocket_conf.listen_addr"}
    free = load({"listen_addr": ":0", "websocket_conf": {"listen_addr": ":0"}}).settings
    assert free.listen_addr == free.websocket_conf.listen_addr == Address("", 0)


@pytest.mark.parametrize("section", ["websocket_conf", "im"])
def test_pong_timeout_exceeds_ping_ticker(section: str) -> None:
    """A client that has no time to answer a ping is warned about; the original took such a file."""
    (warning,) = load({section: {"ping_ticker_s": 20}}).warnings
    assert warning.path == f"{section}.pong_timeout_s"
    assert load({section: {"ping_ticker_s": 19}}).warnings == ()


def test_no_conclusions_from_broken_keys() -> None:
    """A key that is wrong is reported once, and nothing is concluded from the default in its place."""
    found = problems({"websocket_conf": {"ping_ticker_s": 30, "pong_timeout_s": "60"}})
    assert found.keys() == {"websocket_conf.pong_timeout_s"}
    assert problems({"listen_addr": ":8082", "websocket_conf": 0}).keys() == {"websocket_conf"}


def test_push_needs_a_gateway() -> None:
    """Pushing metrics without an address is an error."""
    assert problems({"prometheus": {"enable_push": True}}).keys() == {"prometheus.push_url"}


@pytest.mark.parametrize(
    ("document", "path", "meant"),
    [
        ({"listen_adr": ":1"}, "listen_adr", "listen_addr"),
        ({"sms": {"code_ttl": 1}}, "sms.code_ttl", "sms.code_ttl_s"),
        ({"rtc": {"key_pair": {"secrte_key": SECRET}}}, "rtc.key_pair.secrte_key", "rtc.key_pair.secret_key"),
        ({"pong_timeout_s": 9}, "pong_timeout_s", "websocket_conf.pong_timeout_s"),
        ({"webhook": {"a": 1}}, "webhook", None),
        ({"a\u001b[31m": 1}, '"a\\u001b[31m"', None),
    ],
)
def test_unknown_keys_are_warned_about(document: dict[str, Any], path: str, meant: str | None) -> None:
    """A key that does not exist is named with the nearest one that does, and does no harm."""
    loaded = load(document)
    (warning,) = loaded.warnings
    assert loaded.settings == Settings()
    assert warning.path == path
    assert warning.remedy == (f'did you mean "{meant}"?' if meant else "remove it")
    assert SECRET not in str(warning)


def test_phones_that_cannot_log_in() -> None:
    """Fixed codes for what is no phone number are warned about, without showing any."""
    (warning,) = load({"sms": {"fixed_codes": {"10086": SECRET, "13800000001": SECRET}}}).warnings
    assert str(warning).startswith("sms.fixed_codes: has 1 of 2 phone numbers")
    assert SECRET not in str(warning)


SECRET_PATHS = [
    "mongo.uri",
    "sms.fixed_codes",
    "sms.qiniu_sms.key_pair.secret_key",
    "rtc.key_pair.access_key",
    "storage.key_pair.secert_key",
    "im.rongcloud.app_secret",
    "feedback_mail.password",
]


@pytest.mark.parametrize("path", SECRET_PATHS)
@pytest.mark.parametrize("value", [[SECRET], {SECRET: [SECRET]}, f"{SECRET}\n", 12345678])
def test_errors_keep_secrets(path: str, value: object) -> None:
    """Not even a secret of a wrong type is shown in an error."""
    with pytest.raises(ConfigError) as caught:
        load(nested(path, value))
    assert SECRET not in str(caught.value)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_repr_keeps_secrets(path: str) -> None:
    """Settings can be logged without giving a secret away."""
    value: Any = {"13800000001": SECRET} if path == "sms.fixed_codes" else SECRET
    value = f"mongodb://u:{SECRET}@localhost" if path == "mongo.uri" else value
    document = nested(path, value) | {"store": {"provider": "sqlite"}}
    settings = load(document).settings
    assert settings != Settings()
    assert SECRET not in repr(settings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(path=st.sampled_from(PATHS + sorted({path.rpartition(".")[0] for path in PATHS} - {""})), value=JSON)
def test_any_value_is_read_or_refused(path: str, value: object) -> None:
    """Whatever stands at a key, the file is usable or the error says what to do, at that key or its section."""
    try:
        loaded = load(nested(path, value))
    except ConfigError as error:
        assert all(problem.remedy for problem in error.problems)  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(loaded.settings, Settings)


def test_files(tmp_path: Path) -> None:
    """A file is read as UTF-8, with or without a byte order mark."""
    file = tmp_path / "qlive.conf"
    file.write_bytes(b'\xef\xbb\xbf# \xe4\xb8\xad\n{"default_avatars": ["\xe4\xb8\xad.jpg"]}')
    assert load_settings(file, {}).settings.default_avatars == ("中.jpg",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b'{"a": "\xff"}', "is not UTF-8 text, at byte 7"),
        (b"[]", "is not a configuration"),
        (b'{\n  "a": 1,,\n}', "line 2, column 10: "),
    ],
)
def test_unusable_files(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A file that cannot be read as a configuration is an error of one line that names it."""
    file = tmp_path / "qlive.conf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{file}: {said}")


def test_the_shipped_file() -> None:
    """The file in the repository starts as it is, on the embedded store and without any cloud."""
    loaded = load_settings(Path(__file__).parents[3] / "qlive.conf", {})
    assert loaded.warnings == ()
    settings = loaded.settings
    assert settings.store.provider == "sqlite"
    assert {settings.sms.provider, settings.rtc.provider, settings.im.provider} == {"test"}
    assert settings.sms.fixed_codes["13800000001"] == "123456"
