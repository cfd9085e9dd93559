"""Putting the HTTP face together."""

from collections.abc import Callable, Sequence
from importlib.metadata import version as installed_version

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.types import ASGIApp

from qlive_app.config.settings import Settings
from qlive_app.http.account import AccountRoutes
from qlive_app.http.audience import AudienceRoutes
from qlive_app.http.documents import DocumentRoutes
from qlive_app.http.errors import answer_error
from qlive_app.http.front import Front
from qlive_app.http.im import ImListener, ImRoutes
from qlive_app.http.openapi import openapi_document
from qlive_app.http.operating import HEALTH_PATH, READINESS_PATH, OperatingRoutes, Readiness
from qlive_app.http.operations import Operation, route_handler
from qlive_app.http.pictures import RoomPictures
from qlive_app.http.rooms import RoomRoutes
from qlive_app.http.unchanged import UnchangedReplies
from qlive_app.http.uploads import UploadRoutes
from qlive_app.http.ws_url import SignallingUrl
from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services


def create_http_app(
    services: Services,
    settings: Settings,
    metrics: Metrics,
    readiness: Readiness,
    *,
    ws_port: Callable[[], int],
    version: Callable[[], int] | None = None,
    play_url_version: Callable[[], int] | None = None,
    im: ImListener | None = None,
) -> ASGIApp:
    """Return the application that serves the HTTP port.

    `ws_port` tells on which port the signalling endpoint listens. `version` tells how often the facts behind
    rooms' pictures have changed; without it every answer is made anew. `play_url_version` does so for play URLs, if
    they change. `im` hears what the IM cloud reports.
    """
    signalling_url = SignallingUrl(settings.websocket_conf, ws_port)
    operating = OperatingRoutes(metrics, settings.prometheus.metrics_path, readiness, services.census)
    described = (
        *AccountRoutes(services, settings.trusted_proxies).operations(),
        *RoomRoutes(
            services,
            RoomPictures(services.rtc.play_url, play_url_version=play_url_version),
            signalling_url,
            UnchangedReplies(_both(version, play_url_version)),
        ).operations(),
        *AudienceRoutes(services, signalling_url).operations(),
        *ImRoutes(services, im).operations(),
        *UploadRoutes(services).operations(),
        *operating.operations(),
    )
    release = installed_version("qlive")
    documents = DocumentRoutes(openapi_document(described, version=release), release, signalling_url)
    return Front(
        _router((*described, *documents.operations()), services, settings.cors_origins),
        metrics,
        unobserved=(settings.prometheus.metrics_path, HEALTH_PATH, READINESS_PATH),
        preflights=bool(settings.cors_origins),
    )


def _both(
    facts: Callable[[], int] | None, play_urls: Callable[[], int] | None
) -> Callable[[], object] | None:
    """Return a version that changes with each of two, of which the second may be missing."""
    if facts is None or play_urls is None:
        return facts
    return lambda: (facts(), play_urls())


def _router(operations: Sequence[Operation], services: Services, cors_origins: Sequence[str]) -> Litestar:
    return Litestar(
        [route_handler(operation, services) for operation in operations],
        exception_handlers={Exception: answer_error},
        cors_config=_cors(cors_origins) if cors_origins else None,
        # All of these are done by us, in the shape that apps know.
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
        debug=False,
        pdb_on_exception=False,
    )


def _cors(origins: Sequence[str]) -> CORSConfig:
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "X-Reqid"],
        expose_headers=["X-Reqid"],
    )
