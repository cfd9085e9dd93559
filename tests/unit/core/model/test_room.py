"""Names and kinds of rooms."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_core.errors import InvalidRoomName, UnsupportedRoomType
from qlive_core.model.room import Room, RoomType, room_name, room_type


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("evening songs", "evening songs"),
        ("  evening songs\t\n", "evening songs"),
        ("a", "a"),
        ("晚" * 100, "晚" * 100),
        (" " * 50 + "x" * 100 + " " * 50, "x" * 100),
        ("😀 & <b>", "😀 & <b>"),
    ],
)
def test_names_that_are_fine(asked: str, name: str) -> None:
    """1 to 100 characters, not bytes, after trimming."""
    assert room_name(asked) == name


@pytest.mark.parametrize("asked", ["", " ", "\t\n", "x" * 101, "a\nb", "a\x00b", "a\x7fb", "a\x85b"])
def test_names_that_are_not(asked: str) -> None:
    """Empty, too long, or with a control character inside; the message repeats what was asked for."""
    with pytest.raises(InvalidRoomName) as refused:
        room_name(asked)
    assert refused.value.detail == f"invalid room name {asked}"


@given(st.text(max_size=120))
def test_a_name_is_stable(text: str) -> None:
    """What comes out is trimmed, short, without control characters, and is its own name."""
    try:
        name = room_name(text)
    except InvalidRoomName:
        return
    assert name == name.strip()
    assert 1 <= len(name) <= 100
    assert all(unicodedata.category(character) != "Cc" for character in name)
    assert room_name(name) == name


@pytest.mark.parametrize(
    ("asked", "kind"), [("pk", RoomType.PK), ("voice", RoomType.VOICE), ("", RoomType.PK)]
)
def test_kinds(asked: str, kind: RoomType) -> None:
    """The first apps send no kind and mean a PK room."""
    assert room_type(asked) is kind


@pytest.mark.parametrize("asked", ["PK", "Voice", "video", " pk"])
def test_kinds_that_are_not(asked: str) -> None:
    """Anything else is refused by name."""
    with pytest.raises(UnsupportedRoomType) as refused:
        room_type(asked)
    assert refused.value.detail == f"unsupported room type: {asked}"


def test_renaming_changes_the_name_alone() -> None:
    """A room keeps everything but its name."""
    room = Room("room-1", "old", RoomType.VOICE, "user-1", 5.0, rev=4)
    assert room.renamed("new") == Room("room-1", "new", RoomType.VOICE, "user-1", 5.0, rev=4)
