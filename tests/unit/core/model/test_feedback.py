"""Where an attachment of a feedback can be fetched."""

import pytest

from qlive_core.model.feedback import attachment_url


@pytest.mark.parametrize(
    "attachment",
    [
        "",
        "http://files.example.com/a.png",
        "https://files.example.com/dir/a.png",
        "files.example.com/a.png",
        "10.0.0.1/a.png",
        "http://10.0.0.1/a.png",
        "http://[2001:db8::1]/a.png",
        "2001:db8::1/a.png",
        "localhost:8080/a.png",
        "http://[::1]:8080/a.png",
    ],
)
def test_what_names_a_host_is_left_alone(attachment: str) -> None:
    """A dotted domain, an IP address or host:port before a slash is complete; so is nothing at all."""
    assert attachment_url(attachment, "http://files.test") == attachment


@pytest.mark.parametrize(
    "attachment",
    [
        "localhost/b",
        "dir/b",
        "a.png",
        "https://nodot/b",
        "example.com",
        "-bad.example.com/a",
        "host:123456/a",
    ],
)
def test_a_key_gets_the_prefix(attachment: str) -> None:
    """Anything else is taken for a key in the storage, odd as the result may be."""
    assert attachment_url(attachment, "http://files.test") == f"http://files.test/{attachment}"
