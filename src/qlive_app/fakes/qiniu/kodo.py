"""File storage: uploads that a token permits, as the token permits them, and the call back that may follow."""

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from attrs import frozen
from multipart import MultipartError, MultipartParser, parse_options_header  # type: ignore[import-untyped]

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.qiniu.knobs import QiniuKnobs
from qlive_app.fakes.qiniu.signatures import BadToken, authorization, opened
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.outgoing import http_client
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import FORM, JSON, Answer, Request, json_answer

BUCKET = "qlive-test-bucket"
_BLOCK = 4 * 2**20
_CALLBACK_TIMEOUT_S = 5.0
_MAGIC = re.compile(r"\$\(([\w:.-]+)\)")
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@frozen
class StoredFile:
    """A file in a bucket."""

    key: str
    body: bytes
    mime: str
    end_user: str

    @property
    def etag(self) -> str:
        """The vendor's hash of the content."""
        blocks = [self.body[at : at + _BLOCK] for at in range(0, len(self.body), _BLOCK)] or [b""]
        sums = [hashlib.sha1(each).digest() for each in blocks]  # noqa: S324 -- the vendor's
        whole = sums if len(sums) == 1 else [hashlib.sha1(b"".join(sums)).digest()]  # noqa: S324 -- likewise
        return base64.urlsafe_b64encode((b"\x16" if whole is sums else b"\x96") + whole[0]).decode()


@frozen
class _Upload:
    """The fields of the form, and its file."""

    fields: Mapping[str, str]
    file: bytes
    file_name: str
    file_type: str


class _Refused(Exception):
    """An upload is refused with a status and the vendor's words for it."""

    def __init__(self, status: int, error: str, why: str = "") -> None:
        super().__init__(error)
        self.answer = json_answer(status, {"error": error}, why=why or error)


class Kodo:
    """The bucket ``bucket``, with its files by key."""

    def __init__(self, keys: Keys, knobs: QiniuKnobs, clock: Clock) -> None:
        self.bucket = BUCKET
        self.files: dict[str, StoredFile] = {}
        self._keys = keys
        self._knobs = knobs
        self._clock = clock

    def routes(self, routes: Routes) -> None:
        """Add what it answers without an ``Authorization`` header."""
        routes.add("POST", "/", self._take)
        routes.add("GET", "/files/{key*}", self._give)

    async def _take(self, request: Request, _parameters: Parameters) -> Answer:
        try:
            upload = _read(request)
            policy = self._policy(upload.fields.get("token", ""))
            stored = self._checked(upload, policy)
        except _Refused as refused:
            return refused.answer
        self.files[stored.key] = stored
        magic = self._magic(stored, upload)
        if policy.get("callbackUrl"):
            return await self._call_back(policy, magic)
        if policy.get("returnBody"):
            return Answer(200, _filled(policy["returnBody"], magic, JSON).encode())
        return json_answer(
            200, {"hash": stored.etag, "key": stored.key}, why=f"{stored.key}, {len(stored.body)} bytes"
        )

    async def _give(self, _request: Request, at: Parameters) -> Answer:
        stored = self.files.get(at["key"])
        if stored is None:
            return json_answer(404, {"error": "Document not found"})
        return Answer(200, stored.body, stored.mime)

    def _policy(self, token: str) -> dict[str, Any]:
        if not token:
            raise _Refused(401, "token not specified")
        try:
            policy = opened(token, self._keys)
        except BadToken as exc:
            raise _Refused(401, "bad token", str(exc)) from exc
        if type(policy.get("deadline")) is not int or not isinstance(policy.get("scope"), str):
            raise _Refused(
                400, "invalid put policy", f"{policy} needs a scope and a deadline in whole seconds"
            )
        if policy["deadline"] <= self._clock.now():
            raise _Refused(401, "expired token")
        return policy

    def _checked(self, upload: _Upload, policy: Mapping[str, Any]) -> StoredFile:
        bucket, named, scope = policy["scope"].partition(":")
        if bucket != self.bucket:
            raise _Refused(631, "no such bucket", f"{bucket!r}, try {self.bucket!r}")
        mime = upload.file_type
        if policy.get("detectMime") == 1:
            mime = next((each for magic, each in _IMAGES if upload.file.startswith(magic)), mime)
        if "crc32" in upload.fields and upload.fields["crc32"] != str(zlib.crc32(upload.file)):
            raise _Refused(406, "crc32 mismatch")
        if len(upload.file) > policy.get("fsizeLimit", len(upload.file)):
            raise _Refused(413, "file is too large", f"{len(upload.file)} of {policy['fsizeLimit']} bytes")
        if len(upload.file) < policy.get("fsizeMin", 0):
            raise _Refused(403, "file is too small", f"{len(upload.file)} of {policy['fsizeMin']} bytes")
        if not _allows(policy.get("mimeLimit", ""), mime):
            raise _Refused(403, "limited mimeType", f"{mime} is not in {policy['mimeLimit']}")
        unnamed = StoredFile("", upload.file, mime, str(policy.get("endUser", "")))
        key = upload.fields.get("key", scope if named and not policy.get("isPrefixalScope") else unnamed.etag)
        if named and not (key.startswith(scope) if policy.get("isPrefixalScope") else key == scope):
            raise _Refused(403, "key doesn't match scope", f"{key!r} against {scope!r}")
        stored = StoredFile(key, unnamed.body, mime, unnamed.end_user)
        there = self.files.get(key)
        if there and (policy.get("insertOnly") or not named) and there.etag != stored.etag:
            raise _Refused(614, "file exists", f"{key!r} is there with another content")
        return stored

    def _magic(self, stored: StoredFile, upload: _Upload) -> dict[str, str]:
        return {
            "key": stored.key,
            "etag": stored.etag,
            "fname": upload.file_name,
            "fsize": str(len(stored.body)),
            "mimeType": stored.mime,
            "endUser": stored.end_user,
            "bucket": self.bucket,
            **{name: value for name, value in upload.fields.items() if name.startswith("x:")},
        }

    async def _call_back(self, policy: Mapping[str, Any], magic: Mapping[str, str]) -> Answer:
        """Tell the application; the file is stored whatever it says."""
        url = policy["callbackUrl"].partition(";")[0]
        kind = policy.get("callbackBodyType", FORM)
        body = _filled(policy.get("callbackBody", ""), magic, kind).encode()
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        signed = Request("POST", target, (("Host", parts.netloc), ("Content-Type", kind)), body)
        headers = {
            "Content-Type": kind,
            "Authorization": authorization(self._knobs.upload_callback_scheme, self._keys, signed),
        }
        try:
            async with http_client(_CALLBACK_TIMEOUT_S) as http:
                response = await http.post(url, content=body, headers=headers)
            if response.status_code == 200:
                return json_answer(200, response.json(), why=f"called {url} back")
            trouble = f"{url} answered {response.status_code}"
        except (httpx.HTTPError, ValueError) as exc:
            trouble = f"{url}: {exc!r}"
        return json_answer(579, {"error": "callback failed"}, why=trouble)

    def holds(self) -> dict[str, object]:
        """Return what it holds, as JSON."""
        files = {
            each.key: {"size": len(each.body), "mime": each.mime, "endUser": each.end_user}
            for each in self.files.values()
        }
        return {"bucket": self.bucket, "files": files}


def _read(request: Request) -> _Upload:
    kind, options = parse_options_header(request.header("Content-Type") or "")
    if kind != "multipart/form-data" or "boundary" not in options:
        raise _Refused(400, "not a multipart form")
    try:
        parts = MultipartParser(
            io.BytesIO(request.body),
            options["boundary"],
            len(request.body),
            mem_limit=2**26,
            memfile_limit=2**26,
        ).parts()
    except MultipartError as exc:
        raise _Refused(400, "malformed form", str(exc)) from exc
    file = next((each for each in parts if each.name == "file"), None)
    if file is None:
        raise _Refused(400, "file is not specified")
    fields = {each.name: each.value for each in parts if each is not file}
    return _Upload(fields, file.raw, file.filename or "", file.content_type or "application/octet-stream")


def _allows(limit: str, mime: str) -> bool:
    """Tell whether a ``mimeLimit`` lets a type in: a list, with ``*``, that ``!`` turns into its contrary."""
    if not limit:
        return True
    wanted = limit.removeprefix("!").split(";")
    is_named = any(mime == each or (each.endswith("/*") and mime.startswith(each[:-1])) for each in wanted)
    return is_named is not limit.startswith("!")


def _filled(template: str, magic: Mapping[str, str], kind: str) -> str:
    """Put the values in the place of ``$(name)``, written as the kind of body wants them."""

    def value(match: re.Match[str]) -> str:
        found = magic.get(match[1], "")
        return quote_plus(found) if kind == FORM else found

    return _MAGIC.sub(value, template)
