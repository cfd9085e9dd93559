"""Who is connected, on which devices, and what reached whom."""

from collections import defaultdict, deque
from typing import Protocol

from qlive_app.fakes.rongcloud.messages import Message

_KEPT = 1000


class Connected(Protocol):
    """A connected device of a user."""

    user_id: str

    def receive_message(self, message: Message) -> None:
        """Take a message."""
        ...

    def thrown_out(self) -> None:
        """Be disconnected by the cloud."""
        ...


class Presence:
    """The connected devices by user, and the last thousand messages that were meant for each user."""

    def __init__(self) -> None:
        self.devices: defaultdict[str, list[Connected]] = defaultdict(list)
        self._received: defaultdict[str, deque[Message]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._waiting: defaultdict[str, deque[Message]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def came(self, device: Connected) -> None:
        """Note that a device connected, and bring it what waited for its user."""
        self.devices[device.user_id].append(device)
        for message in self._waiting.pop(device.user_id, ()):
            device.receive_message(message)

    def went(self, device: Connected) -> None:
        """Note that a device is gone."""
        if device in self.devices[device.user_id]:
            self.devices[device.user_id].remove(device)

    def is_online(self, user_id: str) -> bool:
        """Tell whether any of a user's devices is connected."""
        return bool(self.devices[user_id])

    def throw_out(self, user_id: str) -> None:
        """Disconnect all of a user's devices."""
        for device in list(self.devices[user_id]):
            device.thrown_out()

    def deliver(self, user_id: str, message: Message) -> None:
        """Bring a message to all of a user's devices; without one it waits if it is of the stored kind."""
        if not message.stored and not self.is_online(user_id):
            return
        self._received[user_id].append(message)
        if not self.is_online(user_id):
            self._waiting[user_id].append(message)
        for device in list(self.devices[user_id]):
            device.receive_message(message)

    def received(self, user_id: str) -> list[Message]:
        """Return what was brought to a user or waits for him, oldest first."""
        return list(self._received[user_id])
