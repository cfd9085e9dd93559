"""The paths that a file may give to routes."""

import json

import pytest

from qlive_app.config import ConfigError, read_settings
from qlive_app.config.consistency import ROUTES_OF_THE_API
from qlive_app.config.settings import Settings


def settings(path: str) -> Settings:
    return read_settings(json.dumps({"prometheus": {"metrics_path": path}}), {}, source="qlive.conf").settings


@pytest.mark.parametrize("route", ROUTES_OF_THE_API)
@pytest.mark.parametrize("behind", ["", "/", "/rooms", "/x/y"])
def test_metrics_cannot_stand_where_something_else_is_answered(route: str, behind: str) -> None:
    """The start would fail with a traceback, or one of the two would never be answered."""
    with pytest.raises(ConfigError, match=r"prometheus\.metrics_path: is"):
        settings(f"{route}{behind}")


@pytest.mark.parametrize("path", ["/", "//", "/a//b", "/a b", "/%41", "/{x}", "/a?b", "metrics", "/é"])
def test_a_path_that_no_request_could_match_is_refused(path: str) -> None:
    """Good is what is answered exactly as it stands there."""
    with pytest.raises(ConfigError, match=r"prometheus\.metrics_path: must be a path"):
        settings(path)


@pytest.mark.parametrize(
    ("path", "served"), [("/m", "/m"), ("/a/b-c_d.e~f/", "/a/b-c_d.e~f"), ("/v1x", "/v1x")]
)
def test_good_paths(path: str, served: str) -> None:
    """A slash at the end says nothing: both variants are answered."""
    assert settings(path).prometheus.metrics_path == served
