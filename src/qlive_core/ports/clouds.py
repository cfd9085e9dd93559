"""Clouds that reach people: text messages, media, instant messages, files, mail.

Each protocol is what one kind of caller needs. A cloud may implement several; a caller is given the narrowest.
Methods that call out raise ProviderUnavailable if the cloud refused, failed or did not answer within the
adapter's budget; none of them waits longer than that budget.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from attrs import frozen

Permission = Literal["admin", "user"]


class SmsSender(Protocol):
    """Sends codes by text message."""

    async def send_code(self, phone: str, code: str) -> None:
        """Send ``code`` to ``phone``.

        Returns if it was taken for delivery, or if nobody can know whether it was: then it may arrive, so the
        code must stay good. Raises ProviderUnavailable if it was certainly not taken, and SmsCodeLimited if the
        cloud finds that the phone is sent too many.
        """
        ...


class RtcCloud(Protocol):
    """The media cloud, as far as it needs no call: tokens and addresses."""

    def room_token(self, *, room_id: str, user_id: str, permission: Permission, now: float) -> str:
        """Return a signed token with which the user may join the RTC room, valid from ``now``."""
        ...

    def play_url(self, host_id: str) -> str:
        """Return where the stream of that host can be watched."""
        ...


class RtcRooms(Protocol):
    """Who is in the media cloud's rooms."""

    async def members(self, room_id: str) -> frozenset[str]:
        """Return the users in the RTC room; nobody if there is no such room. Raises ProviderUnavailable."""
        ...

    async def kick(self, room_id: str, user_id: str) -> None:
        """Put the user out of the RTC room; it is no error if he is not in it. Raises ProviderUnavailable."""
        ...


class StreamJobKind(enum.Enum):
    """What the media cloud makes of streams."""

    MERGE = "merge"
    """One picture of several people, side by side."""
    FORWARD = "forward"
    """One person's stream as it is."""


@frozen
class StreamJob:
    """Have the cloud publish the streams of ``user_ids`` in an RTC room as the live stream of ``host_id``.

    ``id`` is chosen by us, so that starting twice is starting once.
    """

    id: str
    kind: StreamJobKind
    room_id: str
    user_ids: tuple[str, ...]
    host_id: str


class StreamJobs(Protocol):
    """Streams that the media cloud composes or forwards on the server's side."""

    async def start(self, job: StreamJob) -> None:
        """Start the job; it is no error if it runs already. Raises ProviderUnavailable."""
        ...

    async def stop(self, job: StreamJob) -> None:
        """Stop the job; it is no error if it does not run. Raises ProviderUnavailable."""
        ...


class LiveStreams(Protocol):
    """The live streaming cloud that viewers play from."""

    async def is_live(self, host_id: str) -> bool:
        """Tell whether that host's stream is being published. Raises ProviderUnavailable."""
        ...


class ImCloud(Protocol):
    """The instant-message cloud, as clients need it."""

    async def user_token(self, user_id: str, *, nickname: str, avatar: str) -> str:
        """Return the token with which the user connects, registering him if need be.

        Raises ProviderUnavailable.
        """
        ...


class ImSignals(Protocol):
    """Signalling over the instant-message cloud: private texts in the system user's name."""

    async def send(self, user_ids: Sequence[str], text: str) -> None:
        """Send ``text`` to each of the users (1 to 1000), in one call.

        Raises ProviderUnavailable, after which it may have reached some of them nevertheless.
        """
        ...


@frozen
class HeardOverIm:
    """Something that a user did over IM; whatever it was, it is a sign of life.

    ``at`` is when, in Unix seconds, if the cloud tells. ``uid`` names a message, or is "". ``text`` is what he said
    to the system user in private, None if it was anything else.
    """

    user_id: str
    at: float | None
    uid: str = ""
    text: str | None = None


@frozen
class UnreadableReport:
    """Something that the cloud reported and nobody can read; ``problem`` says why and repeats nothing of it."""

    problem: str


class ImReports(Protocol):
    """Reads what the instant-message cloud reports when it calls us. Nothing here waits or raises."""

    def is_genuine(self, query: Mapping[str, str], headers: Mapping[str, str], *, now: float) -> bool:
        """Tell whether a call is the cloud's, and of these days, by its query and its headers (lower case)."""
        ...

    def messages(self, body: bytes) -> Sequence[HeardOverIm | UnreadableReport]:
        """Return whom a report of messages lets us hear; what the system user says himself is nothing to hear."""
        ...

    def statuses(self, body: bytes) -> Sequence[HeardOverIm | UnreadableReport]:
        """Return whom a report of comings and goings lets us hear. Who goes gives no sign of life."""
        ...


class ImPresence(Protocol):
    """Who is connected to the instant-message cloud."""

    async def is_online(self, user_id: str) -> bool:
        """Tell whether the user has a connection. Raises ProviderUnavailable."""
        ...


class ChatRooms(Protocol):
    """Chat rooms, one for each room, under the same id."""

    async def open(self, room_id: str, name: str) -> None:
        """Make the chat room; it is no error if it exists. Raises ProviderUnavailable."""
        ...

    async def close(self, room_id: str) -> None:
        """Remove the chat room; it is no error if there is none. Raises ProviderUnavailable."""
        ...

    async def existing(self, room_ids: Collection[str]) -> frozenset[str]:
        """Return those of the chat rooms that exist. Raises ProviderUnavailable."""
        ...

    async def publish(self, room_id: str, *, sender: str, kind: str, content: str) -> None:
        """Say something to everybody in a chat room.

        ``kind`` is the cloud's name for the type of message and ``content`` its JSON text. Raises
        ProviderUnavailable, after which it may have been said nevertheless.
        """
        ...


class ChatModeration(Protocol):
    """Order in chat rooms. Times are in whole minutes, 1 to 43200; repeating sets the time anew.

    Every method raises ProviderUnavailable.
    """

    async def kick(self, room_id: str, user_id: str, *, minutes: int) -> None:
        """Throw the user out of the chat room and keep him out."""
        ...

    async def readmit(self, room_id: str, user_id: str) -> None:
        """Let a kicked user in again."""
        ...

    async def gag(self, room_id: str, user_id: str, *, minutes: int) -> None:
        """Let the user say nothing in the chat room."""
        ...

    async def ungag(self, room_id: str, user_id: str) -> None:
        """Let a gagged user speak again."""
        ...

    async def ban(self, user_id: str, *, minutes: int) -> None:
        """Let the user say nothing in any chat room."""
        ...

    async def unban(self, user_id: str) -> None:
        """Let a banned user speak again."""
        ...


class UploadTokens(Protocol):
    """Signs permissions to upload one file."""

    def upload_token(self, *, filename: str, user_id: str, deadline: int) -> str:
        """Return a token for exactly that file, valid until ``deadline`` (Unix seconds)."""
        ...


@frozen
class Mail:
    """A mail in plain text, to whom it always goes.

    ``id`` is its own for ever: what is sent again under the same id is the same mail, and mail programs show it
    once. ``subject`` is one line. ``written_at`` is in Unix seconds.
    """

    id: str
    subject: str
    text: str
    written_at: float


class MailLine(Protocol):
    """A connection to the mail server."""

    async def send(self, mail: Mail) -> None:
        """Hand the mail over; returns when the server has taken it upon itself.

        Raises MailRefused if it never will, and ProviderUnavailable if it may another time; after the latter
        this connection is good for nothing.
        """
        ...


class Mailer(Protocol):
    """Sends mail to the operators."""

    def connected(self) -> AbstractAsyncContextManager[MailLine]:
        """Return a connection for the block, logged in if need be. Entering raises ProviderUnavailable."""
        ...
