"""Publish and play URLs, against what the vendor's SDK makes."""

from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from qiniu_vectors import Vector, each, group

from qlive_adapters.qiniu import Credentials
from qlive_adapters.qiniu.live_urls import encoded_title, flv_url, hls_url, rtmp_url, srt_publish_url
from qlive_adapters.qiniu.play_security import PlaySecurity
from qlive_adapters.qiniu.publish_security import (
    Dynamic,
    Expiry,
    ExpirySk,
    PublishSecurity,
    StaticKey,
    signed_publish_url,
)
from qlive_adapters.qiniu.stream_urls import PlayUrls, PublishUrls


def _security(args: Vector) -> PublishSecurity:
    kind = args["SecurityType"]
    if kind == "static":
        return StaticKey(args["PublishKey"])
    if kind == "expiry":
        return Expiry(args["PublishKey"], args["ExpireAt"])
    if kind == "dynamic":
        return Dynamic(args["PublishKey"], args["Nonce"])
    return ExpirySk(Credentials(args["AccessKey"], args["SecretKey"]), args["ExpireAt"])


@each("pili_signed_url")
def test_signed_urls(vector: Vector) -> None:
    """Each way of protecting a hub or a domain."""
    url, args = vector["input_url"], vector["args"]
    if args["SecurityType"].startswith("ts"):
        security = PlaySecurity(
            key=args["Key"],
            rule=args["Rule"],
            time_parameter=args["TsPart"],
            sign_parameter=args["SignPart"],
            base=str(args["TsBase"]),  # type: ignore[arg-type]
        )
        assert security.sign(url, args["Timestamp"]) == vector["signed_url"]
    else:
        assert signed_publish_url(url, _security(args)) == vector["signed_url"]


@each("pili_signed_url")
def test_a_url_is_signed_anew(vector: Vector) -> None:
    """A signature that it has is replaced, whether it still holds or not."""
    url, args = vector["signed_url"], vector["args"]
    if args["SecurityType"].startswith("ts"):
        security = PlaySecurity(key=args["Key"], base=str(args["TsBase"]))  # type: ignore[arg-type]
        assert security.sign(security.sign(url, 1), args["Timestamp"]) == url
    else:
        assert signed_publish_url(url, _security(args)) == url


def test_plain_urls() -> None:
    """One form each for publishing and playing."""
    plain = group("pili_plain_url")
    hub, stream = plain["hub"], plain["stream"]
    domains = {kind: f"live-{kind}.qlive.example.com" for kind in ("hdl", "hls", "rtmp", "publish")}
    assert flv_url(domains["hdl"], hub, stream) == plain["hdl_play"]
    assert hls_url(domains["hls"], hub, stream) == plain["hls_play"]
    assert rtmp_url(domains["rtmp"], hub, stream) == plain["rtmp_play"]
    assert rtmp_url(domains["publish"], hub, stream) == plain["rtmp_publish"]
    assert srt_publish_url(domains["publish"], hub, stream) == plain["srt_publish"]


def test_srt_is_signed_in_its_stream_id() -> None:
    """From the plain URL as it is made."""
    plain = srt_publish_url("p.com", "hub", "u")
    assert signed_publish_url(plain, StaticKey("k")) == (
        "srt://p.com:1935?streamid=#!::h=hub/u,domain=p.com,key=k,m=publish"
    )
    with pytest.raises(ValueError, match="SRT"):
        signed_publish_url("srt://p.com:1935/hub/u", StaticKey("k"))


@each("pili_encoded_title")
def test_titles_in_paths(vector: Vector) -> None:
    """The URL-safe alphabet, with padding."""
    assert encoded_title(vector["stream"]) == vector["encoded"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("$(streamKey)|$(streamTitle)", "hub/a/b|a/b"),
        ("$(path_1)|$(path_2)|$(path_3)", "hub|a|b.m3u8"),
        ("$(_x)$(key)", "1secret"),
        ("$(_t)", "ff"),
        ("plain", "plain"),
    ],
)
def test_rules(rule: str, text: str) -> None:
    """A rule may name parts of the path and parameters of the URL."""
    named = PlaySecurity(key="secret", rule=rule).sign("https://p.com/hub/a/b.m3u8?x=1", 255)
    spelt = PlaySecurity(key="secret", rule=text).sign("https://p.com/hub/a/b.m3u8?x=1", 255)
    assert named == spelt


def test_a_rule_that_names_nothing() -> None:
    """Nobody could play such a URL."""
    with pytest.raises(ValueError, match="path_9"):
        PlaySecurity(key="k", rule="$(path_9)").sign("https://p.com/hub/u", 1)


def test_secrets_are_not_shown() -> None:
    """Neither of the hub nor of the domain."""
    shown = repr([StaticKey("hush"), Expiry("hush", 1), Dynamic("hush", 1), PlaySecurity(key="hush")])
    assert "hush" not in shown


class _Clock:
    """Time that a test sets."""

    at = 0.0

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.now()


def test_play_urls_of_a_deployment() -> None:
    """Over RTMP and not signed, if nothing else is said."""
    plain = PlayUrls(host="p.com", hub="hub", ttl_s=3600, clock=_Clock())
    assert plain.url("u") == "rtmp://p.com/hub/u"
    assert evolve(plain, format="hls").url("u") == "https://p.com/hub/u.m3u8"
    assert evolve(plain, format="flv").url("u") == "https://p.com/hub/u.flv"


@given(at=st.floats(0, 4e9), later=st.floats(0, 1e5), ttl_s=st.sampled_from([0.5, 1, 60, 3600, 5000.5]))
def test_signed_play_urls_change_in_step_with_their_version(at: float, later: float, ttl_s: float) -> None:
    """The same as long as the version is; good for at least their time and at most twice that."""
    clock = _Clock()
    urls = PlayUrls(
        host="p.com", hub="h", security=PlaySecurity(key="k", base="10"), ttl_s=ttl_s, clock=clock
    )
    clock.at = at
    version, url = urls.version(), urls.url("u")
    expiry = int(parse_qs(urlsplit(url).query)["t"][0])
    assert at + ttl_s - 1 < expiry <= at + 2 * ttl_s
    clock.at = at + later
    if urls.version() == version:
        assert urls.url("u") == url


def test_publish_urls_of_a_deployment() -> None:
    """Signed as the hub wants it, for a time that begins when they are asked for."""
    clock = _Clock()
    urls = PublishUrls(host="p.com", hub="hub", ttl_s=60, clock=clock)
    assert urls.url("u") == "rtmp://p.com/hub/u"
    expiring = evolve(urls, security=lambda expire_at: Expiry("key", expire_at))
    clock.at = 1_700_000_000.5
    assert expiring.url("u") == signed_publish_url("rtmp://p.com/hub/u", Expiry("key", 1_700_000_060))
