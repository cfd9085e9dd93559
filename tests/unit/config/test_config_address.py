"""Addresses to listen on."""

import pytest

from qlive_app.config import Address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":8080", "", 8080),
        (":0", "", 0),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("live-1.example.com:65535", "live-1.example.com", 65535),
        ("[::1]:80", "::1", 80),
    ],
)
def test_reading_and_writing(text: str, host: str, port: int) -> None:
    """An address is read from the usual notation and written back in it."""
    address = Address.parse(text)
    assert address == Address(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "8080", "host", "host:", ":65536", ":-1", "::1:80", "[host]:80", "a b:1", ":\uff18"]
)
def test_refusals(text: str) -> None:
    """What has no port, a port out of range or an unclear host is refused."""
    with pytest.raises(ValueError):
        Address.parse(text)
