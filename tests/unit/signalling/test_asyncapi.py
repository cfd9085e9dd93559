"""The AsyncAPI document says what the message classes say."""

import json
import re
from typing import Any

import pytest

from qlive_core.signalling import (
    Request,
    SignalCode,
    Unknown,
    asyncapi_document,
    decode_request,
    decode_server,
    message_types,
)

CLASSES = {cls.__name__: cls for cls in message_types().values()}


@pytest.fixture
def document() -> dict[str, Any]:
    made = asyncapi_document(version="1.2.3", url="wss://live.example.com:8082/qlive")
    again: dict[str, Any] = json.loads(json.dumps(made))
    assert again == made
    return again


def resolve(document: dict[str, Any], reference: str) -> Any:
    target: Any = document
    for key in reference.removeprefix("#/").split("/"):
        target = target[key]
    return target


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


def test_it_says_where_the_endpoint_is(document: dict[str, Any]) -> None:
    """Version, host, protocol and path are those asked for."""
    assert (document["asyncapi"], document["info"]["version"]) == ("3.0.0", "1.2.3")
    assert document["servers"]["signalling"] == {"host": "live.example.com:8082", "protocol": "wss"}
    assert document["channels"]["signalling"]["address"] == "/qlive"


@pytest.mark.parametrize("url", ["", "http://x/qlive", "ws:///qlive", "/qlive"])
def test_only_websocket_urls_are_taken(url: str) -> None:
    """Another kind of URL is a mistake of the caller."""
    with pytest.raises(ValueError, match="not a WebSocket URL"):
        asyncapi_document(version="1", url=url)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No reference in the document dangles, and messages are referred to through their channel."""
    found = references(document)
    assert all(resolve(document, reference) for reference in found)
    for operation in document["operations"].values():
        assert all(ref["$ref"].startswith("#/channels/signalling/messages/") for ref in operation["messages"])


def test_every_message_class_appears(document: dict[str, Any]) -> None:
    """Each class is a component and a message of the channel."""
    assert set(document["components"]["messages"]) == set(CLASSES)
    assert set(document["channels"]["signalling"]["messages"]) == set(CLASSES)


def test_every_message_is_part_of_an_operation(document: dict[str, Any]) -> None:
    """Requests are received with their reply, pushes sent, heartbeats both."""
    operations = document["operations"]
    used = {reference.rpartition("/")[2] for reference in references(operations) if "/messages/" in reference}
    assert used == set(CLASSES)
    assert operations["receiveStartPk"]["action"] == "receive"
    assert references(operations["receiveStartPk"]["reply"]["messages"]) == [
        "#/channels/signalling/messages/StartPkRes"
    ]
    assert "reply" not in operations["receiveDisconnect"]
    assert operations["sendOnPkOffer"]["action"] == "send"
    assert {"sendPing", "receivePing", "sendPong", "receivePong"} <= set(operations)


@pytest.mark.parametrize("name", CLASSES)
def test_examples_are_real_messages(document: dict[str, Any], name: str) -> None:
    """Each example has the keys of its schema and is read by the codec as the message that it illustrates."""
    message = document["components"]["messages"][name]
    payload, example = message["payload"], message["examples"][0]["payload"]
    assert list(example) == list(payload["properties"])
    assert set(payload["required"]) <= set(example)
    decoded = (decode_request if issubclass(CLASSES[name], Request) else decode_server)(message["x-frame"])
    assert type(decoded) is CLASSES[name]
    assert not isinstance(decoded, Unknown)


def test_the_codes_are_listed(document: dict[str, Any]) -> None:
    """Reply codes and close codes come with their texts."""
    assert document["info"]["x-signal-codes"]["10012"] == "room in PK"
    assert document["info"]["x-close-codes"]["4001"] == "replaced by a newer connection"
    assert document["components"]["messages"]["StartPkRes"]["payload"]["properties"]["code"]["enum"] == [
        code.value for code in SignalCode
    ]


def test_keys_are_the_wires(document: dict[str, Any]) -> None:
    """Schemas name the keys as they go over the wire, both spellings where there are two."""
    payload = document["components"]["messages"]["AnswerPkRes"]["payload"]
    assert list(payload["properties"]) == [
        "ReqRoomID",
        "rpcID",
        "code",
        "error",
        "relayRtcRoom",
        "relayRtcRoomToken",
        "reqRoomID",
    ]
    assert payload["required"] == ["ReqRoomID", "code", "error", "reqRoomID"]
    assert all(
        re.fullmatch(r"[a-z-]+", message["name"]) for message in document["components"]["messages"].values()
    )
