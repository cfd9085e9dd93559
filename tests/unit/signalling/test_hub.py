"""Where pushes go: to the connection, over IM, into the mailbox, or nowhere."""

import pytest

from qlive_app.signalling.hub import Hub
from qlive_core.signalling import CloseCode


class Socket:
    """A connection that writes down what it is given; ``stuck`` ones deliver nothing of it."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.connection_id = "conn-1"
        self.opened_by = "session-1"
        self.stuck = stuck
        self.pushed: list[str] = []

    def push(self, text: str) -> None:
        """Take a push."""
        self.pushed.append(text)

    def hang_up(self, code: CloseCode) -> None:
        """End."""

    def undelivered(self, *, ended: bool) -> list[str]:
        """Return what did not arrive."""
        return self.pushed if self.stuck else []


class Im:
    """What was sent over IM."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, user_id: str, text: str) -> None:
        """Take a text."""
        self.sent.append((user_id, text))


def hub_over(im: Im, *, now: float = 0.0) -> Hub:
    """Return a hub that reaches people over IM, at a moment that stays."""
    return Hub(im.send, im_pong_timeout_s=20, now=lambda: now)


def test_the_connection_comes_first() -> None:
    """Who has both hears over his connection, and over IM when that is gone."""
    im, socket = Im(), Socket()
    hub = hub_over(im)
    hub.reach_by_im("ann")
    hub.spoke_over_im("ann")
    hub.attach("ann", socket, 1)
    assert hub.deliver("ann", "1") == "sent"
    assert hub.only_by_im() == []
    hub.detach("ann", socket)
    assert hub.deliver("ann", "2") == "im"
    assert (socket.pushed, im.sent) == (["1"], [("ann", "2")])
    assert hub.only_by_im() == ["ann"]


def test_what_a_lost_connection_did_not_deliver_goes_over_im() -> None:
    """In order, and before what comes later."""
    im, socket = Im(), Socket(stuck=True)
    hub = hub_over(im)
    hub.attach("ann", socket, 1)
    hub.reach_by_im("ann")
    hub.spoke_over_im("ann")
    hub.deliver("ann", "1")
    hub.deliver("ann", "2")
    hub.detach("ann", socket)
    hub.deliver("ann", "3")
    assert im.sent == [("ann", "1"), ("ann", "2"), ("ann", "3")]
    assert hub.attach("ann", Socket(), 2) == []


@pytest.mark.parametrize("spoke_s_ago", [None, 20.0, 3600.0])
def test_who_is_merely_seen_over_im_finds_his_pushes_on_his_next_connection(
    spoke_s_ago: float | None,
) -> None:
    """An app that signals over connections and chats over IM loses nothing while it reconnects."""
    im, socket, times = Im(), Socket(stuck=True), [0.0]
    hub = Hub(im.send, im_pong_timeout_s=20, now=lambda: times[-1])
    hub.attach("ann", socket, 1)
    hub.reach_by_im("ann")
    if spoke_s_ago is not None:
        hub.spoke_over_im("ann")
        times.append(spoke_s_ago)
    hub.deliver("ann", "1")
    hub.detach("ann", socket)
    assert hub.deliver("ann", "2") == "kept"
    assert hub.only_by_im() == ["ann"]
    assert hub.attach("ann", Socket(), 2) == ["1", "2"]
    assert im.sent == []


@pytest.mark.parametrize("restarted", [True, False])
def test_being_seen_over_im_while_he_reconnects_changes_nothing(restarted: bool) -> None:
    """A first sign there, or a restart that knows of one, takes no pushes away from his next connection."""
    im, socket = Im(), Socket()
    hub = hub_over(im)
    if restarted:
        hub.hold("ann", back=True)
    else:
        hub.attach("ann", socket, 1)
        hub.detach("ann", socket)
    hub.deliver("ann", "1")
    hub.reach_by_im("ann")
    assert hub.deliver("ann", "2") == "kept"
    assert hub.attach("ann", socket, 2) == ["1", "2"]
    hub.let_go("ann")
    hub.detach("ann", socket)
    hub.let_go("ann")
    hub.reach_by_im("ann")
    assert hub.deliver("ann", "3") == "im"


def test_whoever_speaks_over_im_hears_us_there() -> None:
    """What was kept for another connection goes to whom it turns out to reach without one; only to him."""
    im, socket = Im(), Socket()
    hub = hub_over(im)
    hub.attach("ann", socket, 1)
    hub.reach_by_im("ann")
    hub.detach("ann", socket)
    hub.deliver("ann", "1")
    hub.spoke_over_im("ann")
    hub.spoke_over_im("bob")
    assert hub.deliver("ann", "2") == "im"
    assert im.sent == [("ann", "1"), ("ann", "2")]
    assert hub.deliver("bob", "3") == "dropped"


def test_who_becomes_reachable_gets_what_waited() -> None:
    """The mailbox is emptied, and needed no more."""
    im = Im()
    hub = hub_over(im)
    hub.hold("ann")
    assert hub.deliver("ann", "1") == "kept"
    hub.reach_by_im("ann")
    hub.reach_by_im("ann")
    hub.hold("ann")
    assert hub.deliver("ann", "2") == "im"
    assert im.sent == [("ann", "1"), ("ann", "2")]
    assert hub.attach("ann", Socket(), 1) == []


def test_whoever_is_let_go_is_not_reached() -> None:
    """Neither kept for nor sent to, until he is seen again."""
    im = Im()
    hub = hub_over(im)
    hub.reach_by_im("ann")
    hub.let_go("ann")
    assert hub.deliver("ann", "1") == "dropped"
    assert (im.sent, hub.only_by_im()) == ([], [])


def test_what_was_kept_for_one_room_is_forgotten_for_the_next() -> None:
    """The user goes on being expected, and hears what comes from then on."""
    hub, socket = Hub(), Socket()
    hub.hold("ann")
    assert hub.deliver("ann", "of the old room") == "kept"
    hub.forget("ann")
    assert hub.deliver("ann", "of the new room") == "kept"
    assert hub.attach("ann", socket, 1) == ["of the new room"]
    hub.forget("nobody")
