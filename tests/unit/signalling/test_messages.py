"""The messages look on the wire as the apps know them."""

import doctest

import attrs
import pytest

import qlive_core.signalling
from qlive_core.signalling import (
    AnswerPkRes,
    AuthRes,
    Disconnect,
    EndJoinRes,
    EndPkRes,
    Heartbeat,
    Kind,
    Message,
    OnAudienceJoin,
    OnJoinAnswer,
    OnJoinEnd,
    OnJoinRequest,
    OnJoinTimeout,
    OnPkAnswer,
    OnPkEnd,
    OnPkOffer,
    OnPkTimeout,
    OnRoomClose,
    Ping,
    Push,
    Reply,
    Request,
    SignalCode,
    StartJoinRes,
    StartPkRes,
    decode_server,
    encode,
    message,
    message_types,
)
from qlive_core.signalling.lenient_json import wire_fields

TOKEN = "test-ak:CLF2N9w3U-5frGqGeSuj52URawU=:eyJhcHBJZCI6InRlc3QtYXBwIn0="

JOINER = {
    "room_id": "20fz8422yf6ta3j2",
    "req_user_id": "n6efsu3kjbvt",
    "nickname": "用户_1001",
    "gender": "",
    "avatar": "2.jpg",
}

# Frames that the original sent, and the messages that must give the very same bytes.
RECORDED: list[tuple[str, Message]] = [
    ("ping={}", Ping()),
    (
        'auth-res={"rpcID":"4","code":0,"error":"","pongTimeout":20}',
        AuthRes(rpc_id="4", code=0, error="", pong_timeout=20),
    ),
    (
        'auth-res={"rpcID":"1","code":10002,"error":"token invalid"}',
        AuthRes.answer(SignalCode.TOKEN_INVALID, "1"),
    ),
    ('auth-res={"code":10001,"error":"unknown message"}', AuthRes.answer(SignalCode.UNKNOWN_MESSAGE, None)),
    (
        (
            'on-pk-offer={"userID":"qbytwdj3w6u2","nickname":"用户_0640","roomID":"1a05xoejmvt8fj5i",'
            '"roomName":"p01_accept_end-A"}'
        ),
        OnPkOffer(
            user_id="qbytwdj3w6u2",
            nickname="用户_0640",
            room_id="1a05xoejmvt8fj5i",
            room_name="p01_accept_end-A",
        ),
    ),
    ('start-pk-res={"rpcID":"s1","code":0,"error":""}', StartPkRes.answer(SignalCode.OK, "s1")),
    ('start-pk-res={"code":0,"error":""}', StartPkRes.answer(SignalCode.OK, None)),
    (
        (
            'on-pk-answer={"reqRoomID":"1a05xoejmvt8fj5i","accepted":true,"rtcRoom":"z97so92w0cnhkyz9",'
            f'"rtcRoomToken":"{TOKEN}","relayRtcRoom":"z97so92w0cnhkyz9"}}'
        ),
        OnPkAnswer(
            req_room_id="1a05xoejmvt8fj5i",
            accepted=True,
            rtc_room="z97so92w0cnhkyz9",
            rtc_room_token=TOKEN,
            relay_rtc_room="z97so92w0cnhkyz9",
        ),
    ),
    (
        'on-pk-answer={"reqRoomID":"5u0ggcwi6aajnfit","accepted":false}',
        OnPkAnswer(req_room_id="5u0ggcwi6aajnfit", accepted=False),
    ),
    ('on-pk-end={"pkRoomID":"z97so92w0cnhkyz9"}', OnPkEnd(pk_room_id="z97so92w0cnhkyz9")),
    (
        'end-pk-res={"rpcID":"e3","code":10003,"error":"no permission"}',
        EndPkRes.answer(SignalCode.NO_PERMISSION, "e3"),
    ),
    ('end-pk-res={"code":10013,"error":"room not in PK"}', EndPkRes.answer(SignalCode.ROOM_NOT_IN_PK, None)),
    (
        'on-pk-timeout={"pkAnchorID":"euibyvuo69gu","pkRoomID":"4wm7ql2trr9vj4hz"}',
        OnPkTimeout(pk_anchor_id="euibyvuo69gu", pk_room_id="4wm7ql2trr9vj4hz"),
    ),
    ('on-room-close={"roomID":"r1"}', OnRoomClose(room_id="r1")),
    ('start-join-res={"rpcID":"j1","code":0,"error":""}', StartJoinRes.answer(SignalCode.OK, "j1")),
    (
        (
            'on-join-request={"roomID":"20fz8422yf6ta3j2","reqUserID":"n6efsu3kjbvt","nickname":"用户_1001",'
            '"gender":"","avatar":"2.jpg","position":0}'
        ),
        OnJoinRequest(position=0, **JOINER),
    ),
    (
        'on-join-answer={"roomID":"20fz8422yf6ta3j2","reqUserID":"n6efsu3kjbvt","accept":true,"position":0}',
        OnJoinAnswer(room_id="20fz8422yf6ta3j2", req_user_id="n6efsu3kjbvt", accept=True, position=0),
    ),
    (
        (
            'on-audience-join={"roomID":"20fz8422yf6ta3j2","reqUserID":"n6efsu3kjbvt","position":0,'
            '"gender":"","nickname":"用户_1001","avatar":"2.jpg"}'
        ),
        OnAudienceJoin(position=0, **JOINER),
    ),
    (
        (
            'on-join-end={"roomID":"20fz8422yf6ta3j2","reqUserID":"n6efsu3kjbvt","position":0,'
            '"gender":"","nickname":"用户_1001","avatar":"2.jpg"}'
        ),
        OnJoinEnd(position=0, **JOINER),
    ),
    (
        'on-join-timeout={"roomID":"20fz8422yf6ta3j2","reqUserID":"n6efsu3kjbvt"}',
        OnJoinTimeout(room_id="20fz8422yf6ta3j2", req_user_id="n6efsu3kjbvt"),
    ),
    (
        'end-join-res={"rpcID":"e6","code":10025,"error":"player not joined"}',
        EndJoinRes.answer(SignalCode.PLAYER_NOT_JOINED, "e6"),
    ),
]

# answer-pk-res as recorded, and the key that qlive adds behind the original's.
RECORDED_ANSWERS: list[tuple[str, str, AnswerPkRes]] = [
    (
        (
            'answer-pk-res={"ReqRoomID":"1a05xoejmvt8fj5i","rpcID":"a1","code":0,"error":"",'
            '"relayRtcRoom":"1a05xoejmvt8fj5i"}'
        ),
        "1a05xoejmvt8fj5i",
        AnswerPkRes(
            req_room_id="1a05xoejmvt8fj5i", rpc_id="a1", code=0, error="", relay_rtc_room="1a05xoejmvt8fj5i"
        ),
    ),
    (
        'answer-pk-res={"ReqRoomID":"5u0ggcwi6aajnfit","code":0,"error":""}',
        "5u0ggcwi6aajnfit",
        AnswerPkRes(req_room_id="5u0ggcwi6aajnfit", code=0, error=""),
    ),
    (
        'answer-pk-res={"ReqRoomID":"","rpcID":"late","code":10013,"error":"room not in PK"}',
        "",
        AnswerPkRes.answer(SignalCode.ROOM_NOT_IN_PK, "late"),
    ),
]


@pytest.mark.parametrize(("frame", "sent"), RECORDED)
def test_recorded_frames_are_written_byte_for_byte(frame: str, sent: Message) -> None:
    """What the original sent, qlive sends with the same bytes, and its clients read back."""
    assert encode(sent) == frame
    assert decode_server(frame) == sent


@pytest.mark.parametrize(("frame", "room", "sent"), RECORDED_ANSWERS)
def test_the_answer_to_an_answer_spells_its_room_twice(frame: str, room: str, sent: AnswerPkRes) -> None:
    """answer-pk-res is the original's, followed by reqRoomID in the usual spelling."""
    assert encode(sent) == f'{frame[:-1]},"reqRoomID":"{room}"}}'
    assert decode_server(frame) == sent


def test_codes_have_the_originals_texts() -> None:
    """Numbers and texts are the original's, its misspelling included; 10026 is new and met by new apps alone."""
    assert {code.value: code.text for code in SignalCode} == {
        0: "",
        10001: "unknown message",
        10002: "token invalid",
        10003: "no permission",
        10011: "room no exist",
        10012: "room in PK",
        10013: "room not in PK",
        10014: "room type does not support the request",
        10015: "invalid join position",
        10016: "join position already ocuppied or requested by another audience",
        10021: "player no exist",
        10022: "player offline",
        10023: "player not in room",
        10024: "player already joined or requested to join",
        10025: "player not joined",
        10026: "player's app does not support the request",
        10031: "invalid parameter",
        10032: "cannot be done now, try again",
    }


def test_an_empty_rpc_id_is_left_out_but_zero_is_not() -> None:
    """The original leaves out an empty rpcID; the number 0 is a mark like any other."""
    assert encode(StartPkRes.answer(SignalCode.OK, "")) == 'start-pk-res={"code":0,"error":""}'
    assert encode(StartPkRes.answer(SignalCode.OK, 0)) == 'start-pk-res={"rpcID":0,"code":0,"error":""}'


@pytest.mark.parametrize("cls", message_types().values(), ids=message_types().keys())
def test_every_message_is_described(cls: type[Message]) -> None:
    """Kind, base class and texts for the documents are there for each message and each field."""
    bases = {Kind.REQUEST: Request, Kind.REPLY: Reply, Kind.PUSH: Push, Kind.HEARTBEAT: Heartbeat}
    assert issubclass(cls, bases[cls.KIND])
    assert cls.__doc__
    assert all(field.doc for field in wire_fields(cls))


def test_every_request_but_disconnect_has_its_reply() -> None:
    """The reply to a request of type x is of type x-res."""
    requests = [cls for cls in message_types().values() if issubclass(cls, Request) and cls is not Disconnect]
    assert {cls.TYPE: cls.REPLY and cls.REPLY.TYPE for cls in requests} == {
        cls.TYPE: f"{cls.TYPE}-res" for cls in requests
    }
    assert Disconnect.REPLY is None


def test_messages_are_values() -> None:
    """Messages are equal by content, cannot be changed and take no stray attributes."""
    end = OnPkEnd(pk_room_id="x")
    assert end == OnPkEnd(pk_room_id="x")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        end.pk_room_id = "y"  # type: ignore[misc]  # what must not work
    assert not hasattr(end, "__dict__")


def test_a_type_is_defined_once() -> None:
    """A second class of the same type is a mistake that shows at import."""

    class Again(Push):
        TYPE = "on-pk-end"

    with pytest.raises(ValueError, match="two messages of type on-pk-end"):
        message(Again)


def test_the_public_names_are_sorted_and_exist() -> None:
    """What the package offers is listed once, in order, and is really there."""
    names = qlive_core.signalling.__all__
    assert names == sorted(set(names))
    assert all(hasattr(qlive_core.signalling, name) for name in names)


def test_the_example_of_the_package_works() -> None:
    """The example that greets a reader does what it says."""
    result = doctest.testmod(qlive_core.signalling)
    assert (result.attempted, result.failed) == (3, 0)
