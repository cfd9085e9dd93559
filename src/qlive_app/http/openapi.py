"""The OpenAPI 3.1 document, made from the operations and from the classes that read and write their bodies."""

from collections.abc import Iterable, Sequence

from qlive_app.http.answers import NESTED, ErrorAnswer, schema_reference
from qlive_app.http.errors import INTERNAL, Row, row_of
from qlive_app.http.operations import Operation, Parameter
from qlive_core.errors import BadRequest, BadToken, NotLoggedIn, QliveError, Unavailable
from qlive_core.signalling.lenient_json import WireField, wire_fields

_DESCRIPTION = """\
Every path also exists with a slash at its end, but for those that IM clouds call. Bodies are JSON whatever their
declared type; their keys match whatever their case, unknown keys are ignored, and `null` means `{}`. An answer of
`""` says that all is well. Every answer carries `X-Reqid`: the caller's own, or a new one.

Signalling runs over WebSocket and, where there is an IM cloud, over that as well. It is described in
[asyncapi.json](../asyncapi.json).
"""
_EMPTY_TEXT = {"const": "", "type": "string"}
_JSON = "application/json"


def openapi_document(operations: Sequence[Operation], *, version: str) -> dict[str, object]:
    """Return the document, ready to be written as JSON."""
    paths: dict[str, dict[str, object]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "qlive", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": {cls.__name__: _schema(cls) for cls in _classes(operations)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.doc,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(schema_reference(operation.body))}
    if operation.authorised:
        described["security"] = [{"bearer": []}]
    return described


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "in": parameter.within,
        "required": parameter.required,
        "description": parameter.doc,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> dict[str, object]:
    responses: dict[str, object] = {"200": _success(operation)}
    for status, answer in operation.other_answers.items():
        responses[str(status)] = {"description": _doc(answer), "content": _content(schema_reference(answer))}
    rows = _rows(operation)
    for status in sorted({row.status for row in rows}):
        responses.setdefault(str(status), _errors([row for row in rows if row.status == status]))
    return responses


def _success(operation: Operation) -> dict[str, object]:
    if operation.media_type != _JSON:
        return {
            "description": operation.summary,
            "content": {operation.media_type: {"schema": {"type": "string"}}},
        }
    if operation.answer is None:
        return {"description": "Done.", "content": _content(_EMPTY_TEXT)}
    return {
        "description": _doc(operation.answer),
        "content": _content(schema_reference(operation.answer)),
    }


def _rows(operation: Operation) -> list[Row]:
    """Return the rows of all errors that the operation can answer, in the order of their codes."""
    errors: set[type[QliveError]] = set(operation.refusals)
    if operation.authorised:
        errors |= {NotLoggedIn, BadToken}
    if operation.body is not None:
        errors.add(BadRequest)
    if not errors:
        return []  # what asks nothing of anybody has nothing to refuse
    errors.add(Unavailable)
    return sorted({row_of(error) for error in errors} | {INTERNAL}, key=lambda row: row.code)


def _errors(rows: Iterable[Row]) -> dict[str, object]:
    examples = {
        str(row.code): {
            "summary": row.summary,
            "value": {
                "code": row.code,
                "requestID": "CdSiiartgc4Ij-oY",
                "summary": row.summary,
                "message": "",
            },
        }
        for row in rows
    }
    return {
        "description": "; ".join(f"`{row.code}` {row.summary}" for row in rows),
        "content": {_JSON: {"schema": schema_reference(ErrorAnswer), "examples": examples}},
    }


def _content(schema: object) -> dict[str, object]:
    return {_JSON: {"schema": schema}}


def _classes(operations: Iterable[Operation]) -> list[type]:
    found: dict[type, None] = dict.fromkeys((ErrorAnswer, *NESTED))
    for operation in operations:
        named = (operation.body, operation.answer, *operation.other_answers.values())
        found |= dict.fromkeys(cls for cls in named if cls is not None)
    return sorted(found, key=lambda cls: cls.__name__)


def _schema(cls: type) -> dict[str, object]:
    fields = wire_fields(cls)
    return {
        "type": "object",
        "description": _doc(cls),
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
    }


def _property(field: WireField) -> dict[str, object]:
    described = field.schema
    if field.doc:
        described["description"] = field.doc
    if field.example is not None:
        described["examples"] = [field.example]
    return described


def _doc(cls: type) -> str:
    return cls.__doc__ or cls.__name__
