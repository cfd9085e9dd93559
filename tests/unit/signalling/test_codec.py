"""Frames from anywhere are read without ever raising."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlive_core.signalling import (
    AnswerPk,
    AnswerPkRes,
    Auth,
    AuthRes,
    BadMessage,
    BadRequest,
    Disconnect,
    EndPk,
    Message,
    NotAFrame,
    Ping,
    Pong,
    Push,
    Reply,
    Request,
    SignalCode,
    StartPk,
    StartPkRes,
    Unframed,
    Unknown,
    decode_request,
    decode_server,
    encode,
    message_types,
    split_frame,
)
from qlive_core.signalling.lenient_json import wire_fields

RPC_IDS = st.none() | st.text(min_size=1) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "string": st.text(),
}


@st.composite
def messages(draw: st.DrawFn, kinds: type[Message] | tuple[type[Message], ...]) -> Message:
    """Any message of these kinds with any content; sent values that are left out when empty are not empty."""
    cls = draw(st.sampled_from([cls for cls in message_types().values() if issubclass(cls, kinds)]))
    values: dict[str, object] = {}
    for field in wire_fields(cls):
        if field.attribute == "rpc_id":
            values["rpc_id"] = draw(RPC_IDS)
        else:
            values[field.attribute] = draw(_values(field.shape.schema))
    return cls(**values)


def _values(schema: Mapping[str, Any]) -> st.SearchStrategy[object]:
    if schema.get("type") == "array":
        return st.lists(_values(schema["items"]), max_size=3).map(tuple)
    return VALUES[schema.get("type", "boolean")]


# Texts near to real frames, where the interesting mistakes are.
FRAMES = st.one_of(
    st.text(),
    st.builds(
        "{}={}".format,
        st.sampled_from(sorted(message_types())),
        st.text()
        | st.dictionaries(
            st.sampled_from(["rpcID", "token", "accept", "reqRoomID", "pkRoomID", "code", "error"]),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none(), max_size=1),
        ).map(json.dumps),
    ),
)


class TestSplitFrame:
    def test_the_first_equals_sign_divides(self) -> None:
        """Later equals signs belong to the body; type and body may be empty."""
        assert split_frame("auth={=}") == ("auth", "{=}")
        assert split_frame("=") == ("", "")

    def test_without_one_it_is_no_frame(self) -> None:
        """A text without an equals sign is refused."""
        with pytest.raises(NotAFrame):
            split_frame("ping")


class TestDecodeRequest:
    @pytest.mark.parametrize(
        ("frame", "request_"),
        [
            ('auth={"rpcID":"1","token":"bad"}', Auth(rpc_id="1", token="bad")),
            ('auth={"token":""}', Auth(token="")),
            ('auth={"rpcID":"2"}', Auth(rpc_id="2", token="")),
            ('start-pk={"rpcID":"s","pkRoomID":"b44w"}', StartPk(rpc_id="s", pk_room_id="b44w")),
            ("start-pk=null", StartPk(pk_room_id="")),
            (
                'answer-pk={"rpcID":"a","reqRoomID":"5u0g","accept":true}',
                AnswerPk(rpc_id="a", req_room_id="5u0g", accept=True),
            ),
            ('answer-pk={"reqRoomID":"5u0g"}', AnswerPk(req_room_id="5u0g", accept=False)),
            ('answer-pk={"pkRoomID":"5u0g","accept":1}', AnswerPk(req_room_id="5u0g", accept=True)),
            (
                'answer-pk={"reqRoomID":"a","pkRoomID":"b","accept":0}',
                AnswerPk(req_room_id="a", accept=False),
            ),
            ('end-pk={"PKROOMID":"x","new":[]}', EndPk(pk_room_id="x")),
            ("ping=anything", Ping()),
            ("pong=", Pong()),
            ('disconnect={"rpcID":3}', Disconnect(rpc_id=3)),
            ("disconnect={}", Disconnect()),
        ],
    )
    def test_frames_of_the_apps(self, frame: str, request_: Message) -> None:
        """What the apps of all generations send is understood."""
        assert decode_request(frame) == request_

    @pytest.mark.parametrize("rpc_id", ['"7"', "7", "3.5", "0", "-1", "123456789012345678901234567890"])
    def test_the_rpc_id_comes_back_as_it_was(self, rpc_id: str) -> None:
        """A string stays a string and a number that number."""
        request = decode_request(f'start-pk={{"rpcID":{rpc_id}}}')
        assert isinstance(request, StartPk)
        reply = encode(StartPkRes.answer(SignalCode.OK, request.rpc_id))
        assert reply == f'start-pk-res={{"rpcID":{rpc_id},"code":0,"error":""}}'

    @pytest.mark.parametrize(
        ("frame", "reply"),
        [
            ("auth=notjson", AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
            ("auth=", AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
            ("auth={} x", AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
            ('auth={"rpcID":"3","token":5}', AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, "3")),
            ('auth={"rpcID":3,"token":5}', AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, 3)),
            ('auth={"rpcID":true,"token":"t"}', AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
            ('start-pk={"rpcID":["x"],"pkRoomID":5}', StartPkRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
            ('answer-pk={"rpcID":"a","accept":2}', AnswerPkRes.answer(SignalCode.UNKNOWN_MESSAGE, "a")),
            ('answer-pk={"rpcID":"a","accept":1.0}', AnswerPkRes.answer(SignalCode.UNKNOWN_MESSAGE, "a")),
            ("disconnect=x", None),
            ("disconnect=[]", None),
        ],
    )
    def test_bad_bodies_come_with_their_answer(self, frame: str, reply: Reply | None) -> None:
        """The answer is 10001 and echoes an rpcID that could be read; a bad disconnect has no answer."""
        assert decode_request(frame) == BadRequest(frame.partition("=")[0], reply)

    @pytest.mark.parametrize("frame", ["=x", "AUTH={}", "auth-res={}", "on-pk-end={}", " ping={}"])
    def test_types_that_are_no_requests_are_unknown(self, frame: str) -> None:
        """Empty, misspelt and server-side types are unknown, to be ignored."""
        assert decode_request(frame) == Unknown(frame.partition("=")[0])

    @settings(max_examples=100, deadline=None)
    @given(FRAMES)
    def test_any_text_has_a_defined_result(self, text: str) -> None:
        """No text raises, and what is to be answered can be written."""
        result = decode_request(text)
        assert isinstance(result, Request | Ping | Pong | Unknown | BadRequest | Unframed)
        assert isinstance(result, Unframed) == ("=" not in text)
        if isinstance(result, BadRequest) and result.reply:
            written = encode(result.reply)  # an empty rpcID is left out, and so comes back as none
            reread = decode_server(written)
            assert isinstance(reread, Reply)
            assert encode(reread) == written

    @settings(max_examples=60, deadline=None)
    @given(messages(Request))
    def test_what_a_client_encodes_the_server_decodes(self, request: Message) -> None:
        """Requests of our own clients arrive as they were."""
        assert decode_request(encode(request)) == request


class TestDecodeServer:
    @settings(max_examples=100, deadline=None)
    @given(FRAMES)
    def test_any_text_has_a_defined_result(self, text: str) -> None:
        """No text from a server raises."""
        result = decode_server(text)
        assert isinstance(result, Message | Unknown | BadMessage | Unframed)
        assert not isinstance(result, Request)

    def test_bad_bodies_and_unknown_types_are_told_apart(self) -> None:
        """A client can tell a message that it does not know from one that is broken."""
        assert decode_server("on-gift={}") == Unknown("on-gift")
        assert decode_server("on-pk-end=[]") == BadMessage("on-pk-end")
        assert decode_server('start-pk-res={"code":"0"}') == BadMessage("start-pk-res")
        assert decode_server("ping") == Unframed()
        assert decode_server("ping=") == Ping()

    def test_unknown_codes_and_keys_pass(self) -> None:
        """A newer server may send codes and keys that this client has never heard of."""
        assert decode_server('start-pk-res={"code":19999,"error":"new","more":1}') == StartPkRes(
            code=19999, error="new"
        )

    @settings(max_examples=100, deadline=None)
    @given(messages((Reply, Push)))
    def test_what_the_server_encodes_a_client_decodes(self, sent: Message) -> None:
        """Replies and pushes of any content arrive as they were, in one line of valid UTF-8."""
        frame = encode(sent)
        assert decode_server(frame) == sent
        assert "\u2028" not in frame
        assert frame.encode()
