"""The HTTP face: every `/v1` route, the operators' routes, and the documents that describe them."""

from qlive_app.http.app import create_http_app
from qlive_app.http.operating import Readiness

__all__ = ["Readiness", "create_http_app"]
