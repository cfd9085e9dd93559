"""The published documents: OpenAPI with a page to browse it, and AsyncAPI for signalling. All work offline."""

import asyncio
from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files

from attrs import frozen

from qlive_app.http.call import Call
from qlive_app.http.operations import Operation, Run
from qlive_app.http.replies import Reply
from qlive_app.http.ws_url import SignallingUrl
from qlive_core.errors import NotFound
from qlive_core.signalling import asyncapi_document, encode_object

_HTML = "text/html; charset=utf-8"
_ASSETS: Mapping[str, str] = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_PAGE = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>qlive API</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" href="favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, persistAuthorization: true,
                 validatorUrl: null});
</script>
</body>
</html>
"""


@frozen
class DocumentRoutes:
    """Serves the documents. `openapi` is the OpenAPI document, made once."""

    openapi: Mapping[str, object]
    version: str
    signalling_url: SignallingUrl

    async def swagger(self, call: Call) -> Reply:
        name = call.path_parameter("file")
        content_type = _ASSETS.get(name)
        _check_no_slash(call)
        if content_type is None:
            raise NotFound
        return Reply(await asyncio.to_thread(_asset, name), content_type=content_type)

    async def asyncapi(self, call: Call) -> Reply:
        document = asyncapi_document(version=self.version, url=self.signalling_url.for_call(call))
        return Reply(encode_object(document).encode())

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module; the document does not describe itself."""
        page = Reply(_PAGE, content_type=_HTML)
        openapi = Reply(encode_object(self.openapi).encode())
        route = partial(Operation, method="GET", summary="", tag="", authorised=False)
        return (
            # For people who type an address. Apps never ask for these; one of them blocks every redirect.
            route(path="/", name="front", run=_leading_to_the_page),
            route(path="/swagger", name="swaggerFront", run=_leading_to_the_page),
            route(path="/swagger/index.html", name="swagger", run=_showing(page)),
            route(path="/swagger/openapi.json", name="openapi", run=_showing(openapi)),
            route(path="/swagger/{file}", name="swaggerAsset", run=self.swagger),
            route(path="/asyncapi.json", name="asyncapi", run=self.asyncapi),
        )


async def _leading_to_the_page(_call: Call) -> Reply:
    return _TO_THE_PAGE


_TO_THE_PAGE = Reply(b"", 302, _HTML, location="/swagger/index.html")


def _showing(reply: Reply) -> Run:
    async def show(call: Call) -> Reply:
        _check_no_slash(call)
        return reply

    return show


def _check_no_slash(call: Call) -> None:
    """Refuse a slash at the end: from there the page's relative addresses would lead nowhere."""
    if call.path.endswith("/"):
        raise NotFound


@cache
def _asset(name: str) -> bytes:
    return (files("openapi_ui_bundles.swagger_ui") / "vendor" / name).read_bytes()
