"""The outbox: who sends what, when, how often, and what is noted of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from attrs import evolve

from core.world import World
from qlive_core.effects import MailQueued
from qlive_core.errors import MailRefused, ProviderUnavailable, StoreUnavailable
from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox
from qlive_core.ports.clouds import Mail, MailLine
from qlive_core.usecases.feedback_mails import BATCH_MAX, FeedbackMails, MailFate, MailNews, letter

WorldWith = Callable[..., World]
OFFLINE, LATER, NEVER = "offline", "later", "never"


async def _nothing() -> None:
    pass


class Letterbox:
    """A mail server that does as it is told: ``answers`` are used up one by one, then all is taken.

    ``on_connect`` is awaited before anybody is let in, ``on_mail`` before a mail is taken.
    """

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.taken: list[Mail] = []
        self.connections = 0
        self.on_connect: Callable[[], Awaitable[object]] = _nothing
        self.on_mail: Callable[[], Awaitable[object]] = _nothing

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[MailLine]:
        """Let the caller in, or not."""
        await self.on_connect()
        if self.answers[:1] == [OFFLINE]:
            self.answers.pop(0)
            raise ProviderUnavailable("mail")
        self.connections += 1
        yield self

    async def send(self, mail: Mail) -> None:
        """Take the mail, or not."""
        await self.on_mail()
        answer = self.answers.pop(0) if self.answers else ""
        if answer == NEVER:
            raise MailRefused
        if answer == LATER:
            raise ProviderUnavailable("mail")
        self.taken.append(mail)


class Office:
    """A world whose feedback is mailed, and somebody who does it."""

    def __init__(self, world: World, letterbox: Letterbox) -> None:
        self.world, self.letterbox = world, letterbox
        stores = world.stores
        feedback = world._gated(stores.feedback, "feedback")
        self.mails = FeedbackMails(feedback, stores.accounts, letterbox, world.clock, world.rules)
        self.news: list[MailNews] = []
        self.goes_on = True

    async def give(self, times: int = 1) -> None:
        """Give feedback, some seconds apart."""
        for _ in range(times):
            outcome = await self.world.uploads.give_feedback("user-1", "hello", "")
            assert outcome.effects == (MailQueued(),)
            self.world.clock.advance(1)

    def _hear(self, news: MailNews) -> bool:
        self.news.append(news)
        return self.goes_on

    async def deliver(self) -> list[tuple[int, MailFate]]:
        """Deliver once; return what came of which mail."""
        before = len(self.news)
        await self.mails.deliver(self._hear)
        return [(news.mail.number, news.fate) for news in self.news[before:]]


@pytest.fixture
def office(world_with: WorldWith) -> Office:
    """Return an office that tries twice again, after 5 and 10 seconds."""
    return Office(world_with(mails_feedback=True, mail_retry_times=2), Letterbox())


async def test_no_mail_unless_wanted(world: World) -> None:
    """Feedback is kept without a mail if mails are not enabled."""
    assert (await world.uploads.give_feedback("user-1", "hello", "")).effects == ()
    assert await world.stores.feedback.outbox() == Outbox(0, None)


async def test_sent_once(office: Office) -> None:
    """What was taken is not sent again."""
    await office.give(3)
    assert await office.deliver() == [(n, MailFate.SENT) for n in (1, 2, 3)]
    assert [mail.subject for mail in office.letterbox.taken] == ["Feedback 1", "Feedback 2", "Feedback 3"]
    assert office.letterbox.connections == 1
    assert await office.mails.outbox() == Outbox(0, None)
    assert await office.deliver() == []
    assert office.letterbox.connections == 1


async def test_batches_are_bounded(office: Office) -> None:
    """However much waits, a batch is small; the next one goes on."""
    await office.give(BATCH_MAX + 2)
    assert [len(await office.deliver()) for _ in range(3)] == [BATCH_MAX, 2, 0]


async def test_stopped_between_two_mails(office: Office) -> None:
    """Who is told to stop notes the mail that he has sent and leaves the others, which are due still."""
    office.goes_on = False
    await office.give(2)
    assert await office.deliver() == [(1, MailFate.SENT)]
    assert await office.deliver() == [(2, MailFate.SENT)]


async def test_nobody_home(office: Office) -> None:
    """A server that is not there costs all that was due one connection, and none of them a try."""
    office.letterbox.answers = [OFFLINE]
    await office.give(2)
    assert await office.deliver() == [(1, MailFate.PUT_OFF), (2, MailFate.PUT_OFF)]
    assert await office.mails.outbox() == Outbox(2, office.world.clock.now() + 5)
    assert await office.deliver() == []
    office.world.clock.advance(5)
    assert await office.deliver() == [(1, MailFate.SENT), (2, MailFate.SENT)]
    assert [news.mail.tries for news in office.news] == [0, 0, 1, 1]


async def test_a_long_outage(office: Office) -> None:
    """However long the server is away, mails wait for it, and it is asked less and less often."""
    office.letterbox.answers = [OFFLINE] * 40
    await office.give()
    waits = []
    for _ in range(40):
        assert await office.deliver() == [(1, MailFate.PUT_OFF)]
        due_at = (await office.mails.outbox()).next_due_at
        assert due_at is not None
        waits.append(due_at - office.world.clock.now())
        office.world.clock.time = due_at
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 3600)
    assert await office.deliver() == [(1, MailFate.SENT)]


async def test_put_off_with_backoff_and_given_up(office: Office) -> None:
    """A mail that fails again and again is tried after 5 and 10 seconds and then given up, and kept."""
    office.letterbox.answers = [LATER, LATER, LATER]
    await office.give()
    assert await office.deliver() == [(1, MailFate.PUT_OFF)]
    office.world.clock.advance(4.9)
    assert await office.deliver() == []
    office.world.clock.advance(0.1)
    assert await office.deliver() == [(1, MailFate.PUT_OFF)]
    office.world.clock.advance(9.9)
    assert await office.deliver() == []
    office.world.clock.advance(0.1)
    assert await office.deliver() == [(1, MailFate.GIVEN_UP)]
    assert [news.mail.tries for news in office.news] == [1, 2, 3]
    assert await office.mails.outbox() == Outbox(0, None)
    assert await office.world.stores.feedback.get(1) is not None


async def test_refused(office: Office) -> None:
    """What the server will never take is given up at once; the next mail goes its way."""
    office.letterbox.answers = [NEVER]
    await office.give(2)
    assert await office.deliver() == [(1, MailFate.REFUSED)]
    assert office.news[0].mail.state is MailState.GIVEN_UP
    assert await office.deliver() == [(2, MailFate.SENT)]


async def test_a_failure_ends_the_batch(office: Office) -> None:
    """After a failure the rest is not tried over the same connection, and it has cost them nothing."""
    office.letterbox.answers = ["", LATER]
    await office.give(3)
    assert await office.deliver() == [(1, MailFate.SENT), (2, MailFate.PUT_OFF)]
    assert await office.deliver() == [(3, MailFate.SENT)]
    assert office.letterbox.connections == 2


@pytest.mark.parametrize("moment", ["on_connect", "on_mail"])
async def test_two_nodes(office: Office, moment: str) -> None:
    """Two nodes that see the same mail come due send it once, whoever of them is the quicker one."""
    other = Office(office.world, Letterbox())
    setattr(office.letterbox, moment, other.deliver)
    await office.give()
    await office.deliver()
    assert len(office.letterbox.taken + other.letterbox.taken) == 1
    assert [news.fate for news in office.news + other.news] == [MailFate.SENT]


async def test_a_crash_while_sending(office: Office) -> None:
    """A mail whose sender died is due again once he should have been done, and is then the same mail."""

    async def die() -> None:
        raise KeyboardInterrupt

    await office.give()
    office.letterbox.on_mail = die
    with pytest.raises(KeyboardInterrupt):
        await office.deliver()
    office.letterbox.on_mail = _nothing
    assert await office.deliver() == []
    office.world.clock.advance(office.world.rules.mail_timeout_s + 5)
    assert await office.deliver() == [(1, MailFate.SENT)]


async def test_the_note_is_lost(office: Office) -> None:
    """A mail that was taken, but could not be noted, is sent again under its id and to the letter."""
    notes: list[str] = []

    async def lose_the_second(_store: str, method: str) -> None:
        notes.extend([method] * (method == "replace_mail"))
        if len(notes) == 2:
            raise StoreUnavailable

    await office.give()
    unlucky = Office(office.world.beside(lose_the_second), office.letterbox)
    with pytest.raises(StoreUnavailable):
        await unlucky.deliver()
    office.world.clock.advance(60)
    assert await office.deliver() == [(1, MailFate.SENT)]
    first, second = office.letterbox.taken
    assert first == second


SENDER = Account("gtqp8cmn2he8", "13800000001", "小明\r\nPhone: 1", "", "", 0.0, 0.0)
MAIL = FeedbackMail(
    12,
    Feedback(SENDER.id, "画面卡住\n13912345678", "https://f/1\n2.log", 1783800000.5),
    MailState.WAITING,
    0.0,
)


def test_letter() -> None:
    """A letter says who wrote what and when; a phone number is masked, a line of a user's cannot pass for ours."""
    written = letter(MAIL, SENDER)
    assert written == Mail(
        id="feedback.12.1783800000500",
        subject="Feedback 12",
        text=(
            "Feedback 12\n\n"
            "User id:    gtqp8cmn2he8\n"
            "Nickname:   小明 Phone: 1\n"
            "Phone:      138****0001\n"
            "Time:       2026-07-11 20:00:00 UTC\n"
            "Attachment: https://f/1 2.log\n\n"
            "画面卡住\n13912345678\n"
        ),
        written_at=1783800000.5,
    )


def test_letter_of_somebody_unknown() -> None:
    """Without an account, and without an attachment, there are fewer lines; odd phones are hidden whole."""
    bare = evolve(MAIL, feedback=evolve(MAIL.feedback, attachment="", content="x"))
    assert letter(bare, None).text == (
        "Feedback 12\n\nUser id:    gtqp8cmn2he8\nTime:       2026-07-11 20:00:00 UTC\n\nx\n"
    )
    assert "Phone:      ****\n" in letter(bare, evolve(SENDER, phone="12345")).text
