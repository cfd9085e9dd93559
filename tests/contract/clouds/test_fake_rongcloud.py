"""What the fake of RongCloud knows of users, chat rooms and messages, and how its clients meet it."""

import httpx
import pytest

from qlive_app.fakes import FakeRongCloud, Fault
from qlive_app.fakes.rongcloud import ClientRefused

from .rongcloud_calls import Server

SYSTEM = "qlive-system"
ROOM = "room0001"


@pytest.fixture
def server(rongcloud: FakeRongCloud, http: httpx.AsyncClient) -> Server:
    """The application's side of the API."""
    return Server(rongcloud, http)


def text(content: str) -> str:
    return f'{{"content":"{content}"}}'


async def private(
    server: Server, to: str | list[str], content: str, path: str = "/message/private/publish"
) -> None:
    await server.call(path, fromUserId=SYSTEM, toUserId=to, objectName="RC:TxtMsg", content=text(content))


async def test_tokens(rongcloud: FakeRongCloud, server: Server) -> None:
    """All of a user's tokens connect him until they are made void; others connect nobody."""
    first, second = await server.token("ada"), await server.token("ada")
    assert first != second
    assert await server.call("/user/checkOnline", userId="ada") == {"code": 200, "status": "0"}
    assert rongcloud.connect(first).user_id == "ada"
    assert rongcloud.connect(second).user_id == "ada"
    assert (await server.call("/user/checkOnline", userId="ada"))["status"] == "1"
    await server.call("/user/token/expire", userId="ada", time=str(rongcloud.clock.now_ms() + 1000))
    for token in (first, second, "other"):
        with pytest.raises(ClientRefused, match="31004"):
            rongcloud.connect(token)


async def test_a_user_who_is_blocked(rongcloud: FakeRongCloud, server: Server) -> None:
    """He is thrown out and kept out, for as long as it was said."""
    token = await server.token("ada")
    client = rongcloud.connect(token)
    await server.call("/user/block", userId="ada", minute="10")
    assert not client.connected
    with pytest.raises(ClientRefused, match="31009"):
        rongcloud.connect(token)
    rongcloud.clock.advance(601)
    rongcloud.connect(token)


async def test_online_is_any_device(rongcloud: FakeRongCloud, server: Server) -> None:
    """A user with two devices is online until both are gone."""
    token = await server.token("ada")
    phone, tablet = rongcloud.connect(token), rongcloud.connect(token, source="iOS")
    phone.disconnect()
    assert (await server.call("/user/checkOnline", userId="ada"))["status"] == "1"
    tablet.disconnect(logout=True)
    assert (await server.call("/user/checkOnline", userId="ada"))["status"] == "0"


async def test_private_messages(rongcloud: FakeRongCloud, server: Server) -> None:
    """They reach every device, or wait; status messages do not wait."""
    token = await server.token("ada")
    await private(server, "ada", "waits")
    await private(server, "ada", "is lost", "/statusmessage/private/publish")
    client = rongcloud.connect(token)
    await private(server, ["ada", "bob"], "now")
    await private(server, "ada", "status", "/statusmessage/private/publish")
    await private(server, "ada", "system", "/message/system/publish")
    received = [await client.receive() for _ in range(4)]
    assert [each.text for each in received] == ["waits", "now", "status", "system"]
    assert [each.channel for each in received] == ["PERSON", "PERSON", "PERSON", "NOTIFY"]
    assert [each.text for each in rongcloud.received("bob")] == ["now"]


async def test_chat_rooms(rongcloud: FakeRongCloud, server: Server) -> None:
    """They are made, found, entered, heard in, left and removed."""
    await server.room(ROOM)
    await server.call("/chatroom/create_new", chatroomId="room0002", destroyType="1", destroyTime="60")
    found = await server.call("/chatroom/query", chatroomId=[ROOM, "room0002", "room0003"])
    assert [each["chrmId"] for each in found["chatRooms"]] == [ROOM, "room0002"]
    ada, bob = [rongcloud.connect(await server.token(name)) for name in ("ada", "bob")]
    for client in (ada, bob):
        client.join(ROOM)
    members = await server.call("/chatroom/user/query", chatroomId=ROOM, count="500", order="1")
    assert [each["id"] for each in members["users"]] == ["ada", "bob"]
    assert (await server.call("/chatroom/user/exist", chatroomId=ROOM, userId="ada"))["isInChrm"] is True
    ada.say_text(ROOM, "hello")
    await server.call(
        "/message/chatroom/publish",
        fromUserId=SYSTEM,
        toChatroomId=ROOM,
        objectName="app:gift",
        content="{}",
    )
    assert (await bob.receive()).text == "hello"
    assert (await bob.receive()).object_name == "app:gift"
    assert (await ada.receive()).object_name == "app:gift"
    bob.disconnect()
    assert (await server.call("/chatroom/get", chatroomId=ROOM))["memberCount"] == 1
    await server.call("/chatroom/destroy", chatroomId=ROOM)
    with pytest.raises(ClientRefused, match="23410"):
        ada.say_text(ROOM, "anybody?")
    assert await server.refused("/chatroom/get", chatroomId=ROOM) == (400, 1002)


async def test_who_joins_a_chat_room_that_is_not_there_makes_it(
    rongcloud: FakeRongCloud, server: Server
) -> None:
    """So does the vendor's SDK. An app may join before the server has made the room, which then takes it over."""
    ada = rongcloud.connect(await server.token("ada"))
    ada.join(ROOM)
    ada.say_text(ROOM, "first")
    await server.room(ROOM)
    assert (await server.call("/chatroom/get", chatroomId=ROOM))["memberCount"] == 1


async def test_who_may_not_speak(rongcloud: FakeRongCloud, server: Server) -> None:
    """Strangers, the gagged, the banned, and all but the exempt in a muted room; time and lifting end it."""
    await server.room(ROOM)
    ada = rongcloud.connect(await server.token("ada"))
    with pytest.raises(ClientRefused, match="23406"):
        ada.say_text(ROOM, "hello")
    ada.join(ROOM)
    for add, lift in (
        ("/chatroom/user/gag/add", "/chatroom/user/gag/rollback"),
        ("/chatroom/user/ban/add", "/chatroom/user/ban/remove"),
    ):
        await server.call(add, chatroomId=ROOM, userId="ada", minute="1")
        with pytest.raises(ClientRefused, match="23408"):
            ada.say_text(ROOM, "hello")
        rongcloud.clock.advance(61)
        ada.say_text(ROOM, "hello")
        await server.call(add, chatroomId=ROOM, userId="ada", minute="43200")
        await server.call(lift, chatroomId=ROOM, userId="ada")
        ada.say_text(ROOM, "hello")
    await server.call("/chatroom/ban/add", chatroomId=ROOM)
    with pytest.raises(ClientRefused, match="23408"):
        ada.say_text(ROOM, "hello")
    await server.call("/chatroom/user/ban/whitelist/add", chatroomId=ROOM, userId="ada")
    ada.say_text(ROOM, "hello")


async def test_a_user_who_is_kicked_out(rongcloud: FakeRongCloud, server: Server) -> None:
    """He is out of the room and cannot come back before his time; the list names him."""
    await server.room(ROOM)
    ada = rongcloud.connect(await server.token("ada"))
    ada.join(ROOM)
    await server.call("/chatroom/user/block/add", chatroomId=ROOM, userId="ada", minute="5")
    assert not rongcloud.chatrooms.rooms[ROOM].members
    with pytest.raises(ClientRefused, match="23409"):
        ada.join(ROOM)
    listed = await server.call("/chatroom/user/block/list", chatroomId=ROOM)
    assert [each["userId"] for each in listed["users"]] == ["ada"]
    rongcloud.clock.advance(301)
    ada.join(ROOM)


@pytest.mark.parametrize(
    ("path", "fields", "outcome"),
    [
        ("/user/getToken", {}, (400, 1003)),
        ("/user/getToken", {"userId": "a" * 65}, (400, 1005)),
        ("/user/getToken", {"userId": "ada", "name": "n" * 65}, (400, 1005)),
        ("/chatroom/user/gag/add", {"chatroomId": ROOM, "userId": "ada", "minute": "0"}, (400, 1002)),
        ("/chatroom/user/gag/add", {"chatroomId": ROOM, "userId": "ada", "minute": "43201"}, (400, 1002)),
        ("/chatroom/user/gag/add", {"chatroomId": ROOM, "userId": ["u"] * 21, "minute": "1"}, (400, 1005)),
        ("/message/system/publish", {"toUserId": ["u"] * 101}, (400, 1005)),
        (
            "/message/private/publish",
            {"fromUserId": "s", "toUserId": "u", "objectName": "o", "content": "c" * (128 * 1024 + 1)},
            (400, 1005),
        ),
        ("/message/private/publish", {"fromUserId": "s", "toUserId": "u", "objectName": "o"}, (400, 1002)),
        ("/no/such/call", {"a": "b"}, (404, 404)),
    ],
)
async def test_limits(
    server: Server, path: str, fields: dict[str, str | list[str]], outcome: tuple[int, int]
) -> None:
    """What is missing, too long or too many is refused by the vendor's codes."""
    assert await server.refused(path, **fields) == outcome


async def test_rate_limits(rongcloud: FakeRongCloud, server: Server) -> None:
    """Each path has its own count of calls in a second, and each client one of messages."""
    rongcloud.knobs.calls_per_s = 2
    for _ in range(2):
        await server.call("/user/checkOnline", userId="ada")
    assert await server.refused("/user/checkOnline", userId="ada") == (429, 1008)
    client = rongcloud.connect(await server.token("ada"))
    rongcloud.clock.advance(1.1)
    await server.call("/user/checkOnline", userId="ada")
    rongcloud.knobs.client_messages_per_s = 1
    client.send_text("bob", "one")
    with pytest.raises(ClientRefused, match="20604"):
        client.send_text("bob", "two")


async def test_keepalive(rongcloud: FakeRongCloud, server: Server) -> None:
    """A room that is not there, one that is, and an application without the feature."""
    answer = await server.post("/chatroom/keepalive/add", {"chatroomId": ROOM})
    assert (answer.status_code, answer.json()["code"]) == (200, 1015)
    await server.room(ROOM)
    await server.call("/chatroom/keepalive/add", chatroomId=ROOM)
    assert (await server.call("/chatroom/keepalive/query"))["chatroomIds"] == [ROOM]
    rongcloud.knobs.keepalive = False
    assert await server.refused("/chatroom/keepalive/add", chatroomId=ROOM) == (430, 1009)


async def test_two_addresses_of_one_cloud(rongcloud: FakeRongCloud, server: Server) -> None:
    """One may fail, or be closed and come back, while the other serves the same users."""
    token = await server.token("ada")
    rongcloud.faults.add(Fault("answer", status=500, listener=0, times=None))
    fields: dict[str, str | list[str]] = {"userId": "ada"}
    assert (await server.post("/user/info", fields)).json()["code"] == 1000
    assert (await server.post("/user/info", fields, listener=1)).json()["userName"] == "Ada"
    rongcloud.faults.clear()
    await rongcloud.listeners[0].close()
    with pytest.raises(httpx.ConnectError):
        await server.post("/user/info", fields)
    assert (await server.post("/user/info", fields, listener=1)).status_code == 200
    await rongcloud.listeners[0].open()
    assert (await server.post("/user/info", fields)).status_code == 200
    assert rongcloud.connect(token).connected
