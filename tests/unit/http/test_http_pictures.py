"""Rooms as viewers see them, and the answers around them."""

import json
from typing import Any

from attrs import evolve

from qlive_app.http.answers import (
    EnteredRoomAnswer,
    LoginAnswer,
    Person,
    ReadinessAnswer,
    RoomListAnswer,
    seat_pictures,
)
from qlive_app.http.pictures import RoomPictures
from qlive_core.model.account import Account
from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.model.room import Room, RoomType
from qlive_core.signalling.lenient_json import encode_fields
from qlive_core.usecases.directory import RoomFacts, SeatHolder

ANN = Account("ann", "13800000001", "Ann", "female", "1.jpg", 0, 0)
BOB = Account("bob", "13800000002", "Bob", "", "2.jpg", 0, 0)
ROOM = Room("room-a", "A", RoomType.PK, "ann", 1.0)
PK = Pk("pk", PkState.LIVE, Side("ann", "room-a"), Side("bob", "room-b"), 0.0)
FACTS = RoomFacts(ROOM, ANN, 3, None, None)


def _play_url(host_id: str) -> str:
    return f"rtmp://play/{host_id}"


def _text(facts: RoomFacts) -> str:
    return RoomPictures(_play_url).text(facts)


def test_a_picture_has_its_keys_in_order() -> None:
    """Byte for byte what the original wrote."""
    assert _text(FACTS) == (
        '{"id":"room-a","name":"A","type":"pk",'
        '"creator":{"id":"ann","nickname":"Ann","gender":"female","avatar":"1.jpg"},'
        '"playURL":"rtmp://play/ann","audienceNumber":3,"status":"single"}'
    )


def test_the_opponent_is_shown_only_while_the_pk_is_live() -> None:
    """An offer changes the status and shows nobody; a voice room knows neither."""
    live = json.loads(_text(FACTS._replace(pk=PK, anchor=BOB)))
    assert (live["status"], live["pkAnchor"]["nickname"]) == ("PK", "Bob")
    assert list(live)[-1] == "pkAnchor"
    offered = json.loads(_text(FACTS._replace(pk=evolve(PK, state=PkState.OFFERED))))
    assert (offered["status"], "pkAnchor" in offered) == ("waitPK", False)
    voice = json.loads(_text(FACTS._replace(room=evolve(ROOM, type=RoomType.VOICE))))
    assert (voice["status"], "pkAnchor" in voice) == ("voiceLive", False)


def test_seats_are_shown_in_order_and_only_if_somebody_sits_there() -> None:
    """Apps crash on null, and on a missing text of somebody whose account is gone."""
    voice = FACTS._replace(room=evolve(ROOM, type=RoomType.VOICE))
    assert "joinedAudiences" not in json.loads(_text(voice))
    seats = (SeatHolder(0, "bob", BOB), SeatHolder(7, "cid", None))
    assert _text(voice._replace(seats=seats)).endswith(
        '"status":"voiceLive","joinedAudiences":['
        '{"position":0,"id":"bob","nickname":"Bob","gender":"","avatar":"2.jpg"},'
        '{"position":7,"id":"cid","nickname":"","gender":"","avatar":""}]}'
    )


def test_a_list_and_a_single_room_do_not_take_turns() -> None:
    """The picture with seats and the one without are both kept."""
    pictures = RoomPictures(_play_url)
    seated = FACTS._replace(seats=(SeatHolder(3, "bob", BOB),))
    texts = [pictures.text(FACTS), pictures.text(seated)]
    assert pictures.text(FACTS) is texts[0]
    assert pictures.text(seated) is texts[1]


def test_an_unknown_account_is_still_a_person() -> None:
    """Apps crash on a missing person, so there is one with empty texts."""
    nobody = {"nickname": "", "gender": "", "avatar": ""}
    picture = json.loads(_text(FACTS._replace(creator=None, pk=PK, anchor=None)))
    assert picture["creator"] == {"id": "ann", **nobody}
    assert picture["pkAnchor"] == {"id": "bob", **nobody}


def test_markup_is_escaped() -> None:
    """As the original wrote it; other text stays as it is."""
    text = _text(FACTS._replace(room=evolve(ROOM, name="<b>&\u2028\u2029房")))
    assert '"name":"\\u003cb\\u003e\\u0026\\u2028\\u2029房"' in text


def test_a_kept_picture_is_never_stale() -> None:
    """Whatever changes about a room, the next picture shows it."""
    pictures = RoomPictures(_play_url)
    steps = [
        FACTS,
        FACTS._replace(audience_number=4),
        FACTS._replace(creator=evolve(ANN, nickname="Anna", rev=2)),
        FACTS._replace(creator=None),
        FACTS._replace(room=evolve(ROOM, name="B", rev=2)),
        FACTS._replace(pk=evolve(PK, state=PkState.OFFERED)),
        FACTS._replace(pk=evolve(PK, rev=2), anchor=BOB),
        FACTS._replace(pk=evolve(PK, rev=2), anchor=evolve(BOB, nickname="Rob", rev=2)),
        FACTS._replace(pk=evolve(PK, id="pk2", rev=2, target=Side("cid", "room-c"))),
        FACTS._replace(seats=(SeatHolder(3, "bob", BOB),)),
        FACTS._replace(seats=(SeatHolder(5, "bob", BOB),)),
        FACTS._replace(seats=(SeatHolder(5, "bob", evolve(BOB, nickname="Rob", rev=2)),)),
        FACTS._replace(seats=(SeatHolder(5, "bob", None),)),
        FACTS._replace(seats=(SeatHolder(5, "cid", None),)),
        FACTS,
    ]
    for facts in steps:
        assert pictures.text(facts) == _text(facts)
        assert pictures.text(facts) is pictures.text(facts)


def test_a_kept_picture_has_no_older_url() -> None:
    """When play URLs change, all pictures do, and only then."""
    version = 1
    pictures = RoomPictures(lambda host_id: f"rtmp://{host_id}?{version}", play_url_version=lambda: version)
    first = pictures.text(FACTS)
    assert pictures.text(FACTS) is first
    assert json.loads(first)["playURL"] == "rtmp://ann?1"
    version = 2
    assert json.loads(pictures.text(FACTS))["playURL"] == "rtmp://ann?2"


def test_pictures_of_many_rooms_are_right_and_few_are_kept() -> None:
    """The bound on memory shows in nothing else."""
    pictures = RoomPictures(_play_url, capacity=2)
    rooms = [FACTS._replace(room=evolve(ROOM, id=f"room-{number}")) for number in range(5)]
    for facts in (*rooms, *rooms):
        assert pictures.text(facts) == _text(facts)
    assert pictures.text(rooms[4]) is pictures.text(rooms[4])


def test_an_empty_list_is_null_and_an_empty_page_is_not() -> None:
    """Apps of iOS read the first room of any list that is not null."""
    assert encode_fields(RoomListAnswer(rooms=None)) == '{"rooms":null}'
    assert encode_fields(RoomListAnswer(rooms=[])) == '{"rooms":[]}'
    both = encode_fields(RoomListAnswer(rooms=[_text(FACTS), _text(FACTS)], next_cursor="x"))
    assert both == f'{{"rooms":[{_text(FACTS)},{_text(FACTS)}],"nextCursor":"x"}}'


def test_a_login_names_a_room_only_if_there_is_one() -> None:
    """Apps of iOS store the answer, and cannot store null."""
    account = {"id": "a", "nickname": "n", "gender": "", "avatar": "v", "token": "t", "status": "idle"}
    keys = '{"id":"a","nickname":"n","gender":"","avatar":"v","token":"t","status":"idle"'
    assert encode_fields(LoginAnswer(**account)) == keys + "}"
    assert encode_fields(LoginAnswer(**account, room="r")) == keys + ',"room":"r"}'


def test_an_entered_room_has_its_keys_in_order() -> None:
    """Only voice rooms hand out a token and the signalling address."""
    host = Person(id="a", nickname="n", gender="", avatar="v")
    room: Any = {
        "room_id": "r",
        "room_name": "R",
        "room_type": "pk",
        "play_url": "p",
        "creator": host,
        "status": "single",
    }
    single = EnteredRoomAnswer(**room)
    assert list(json.loads(encode_fields(single))) == [
        "roomID",
        "roomName",
        "roomType",
        "playURL",
        "creator",
        "status",
    ]
    seats = seat_pictures([SeatHolder(3, "bob", BOB)])
    everything = EnteredRoomAnswer(
        **room, rtc_room_token="t", pk_anchor=host, joined_audiences=seats, ws_url="ws://x"
    )
    assert list(json.loads(encode_fields(everything))) == [
        "roomID",
        "roomName",
        "roomType",
        "playURL",
        "rtcRoomToken",
        "creator",
        "status",
        "pkAnchor",
        "joinedAudiences",
        "wsURL",
    ]


def test_problems_are_written_as_texts() -> None:
    """Whatever an operator is told, it is valid JSON."""
    answer = ReadinessAnswer(status="unready", problems=['store: "x"', "<y>"])
    assert json.loads(encode_fields(answer)) == {"status": "unready", "problems": ['store: "x"', "<y>"]}
