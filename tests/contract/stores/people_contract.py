"""What holds for accounts, sessions, codes, presences, feedback and the mails about it."""

import asyncio

from attrs import evolve

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import Stale
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox
from qlive_core.model.presence import Presence
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode

from .facts_contract import outcomes
from .kinds import ACCOUNTS, Ground


class AccountsContract:
    """AccountStore."""

    async def test_found_by_phone(self, stores: Stores) -> None:
        """An account is found by the phone that it has now."""
        account = ACCOUNTS.make(1, "")
        await stores.accounts.add(account)
        assert await stores.accounts.by_phone("phone1") == account
        changed = await stores.accounts.replace(evolve(account, phone="other"))
        assert await stores.accounts.by_phone("other") == changed
        assert await stores.accounts.by_phone("phone1") is None

    async def test_get_many(self, stores: Stores) -> None:
        """Of many ids those that exist come back, by id."""
        accounts = {f"user{n}": ACCOUNTS.make(n, "") for n in range(50)}
        for account in accounts.values():
            await stores.accounts.add(account)
        wanted = [*accounts, "stranger", "user1"]
        assert dict(await stores.accounts.get_many(wanted)) == accounts
        assert dict(await stores.accounts.get_many({"user3"})) == {"user3": accounts["user3"]}
        assert dict(await stores.accounts.get_many([])) == {}


class SessionsContract:
    """SessionStore."""

    async def test_found_by_token(self, stores: Stores) -> None:
        """A token opens its session until the next login replaces it."""
        session = Session("user", "old", 10.0)
        await stores.sessions.add(session)
        assert await stores.sessions.by_token_hash("old") == session
        newer = await stores.sessions.replace(evolve(session, token_hash="new"))
        assert await stores.sessions.by_token_hash("old") is None
        assert await stores.sessions.by_token_hash("new") == newer
        await stores.sessions.remove(newer)
        assert await stores.sessions.by_token_hash("new") is None

    async def test_found_as_soon_as_added(self, stores: Stores) -> None:
        """A token that was unknown a moment ago opens the session that has just been added."""
        assert await stores.sessions.by_token_hash("token") is None
        assert await stores.sessions.get("user") is None
        await stores.sessions.add(Session("user", "token", 10.0))
        assert await stores.sessions.by_token_hash("token") == await stores.sessions.get("user") is not None

    async def test_purge(self, stores: Stores) -> None:
        """Purging removes sessions that expired before that time, from every kind of look-up."""
        for n in range(4):
            await stores.sessions.add(Session(f"user{n}", f"token{n}", float(n)))
            assert await stores.sessions.by_token_hash(f"token{n}") is not None
        assert await stores.sessions.purge(2.0) == 2
        assert await stores.sessions.purge(2.0) == 0
        left = [await stores.sessions.by_token_hash(f"token{n}") for n in range(4)]
        assert [session and session.user_id for session in left] == [None, None, "user2", "user3"]
        assert await stores.sessions.get("user1") is None


class SendingsContract:
    """SmsCodeStore and SendQuotaStore."""

    async def test_purge_codes(self, stores: Stores) -> None:
        """Purging removes codes of phones that were sent nothing since."""
        for n in range(4):
            await stores.sms_codes.add(SmsCode(f"phone{n}", "salt", "hash", 9.0, 5, (0.5, float(n))))
        assert await stores.sms_codes.purge(2.0) == 2
        left = [await stores.sms_codes.get(f"phone{n}") for n in range(4)]
        assert [code and code.phone for code in left] == [None, None, "phone2", "phone3"]

    async def test_purge_quotas(self, stores: Stores) -> None:
        """Purging removes quotas of addresses that asked for nothing since."""
        for n in range(4):
            await stores.send_quotas.add(SendQuota(f"address{n}", (0.5, float(n))))
        assert await stores.send_quotas.purge(2.0) == 2
        left = [await stores.send_quotas.get(f"address{n}") for n in range(4)]
        assert [quota and quota.address for quota in left] == [None, None, "address2", "address3"]


class PresencesContract:
    """PresenceStore."""

    async def test_due(self, stores: Stores) -> None:
        """Due are presences whose deadline lies before that time; open ones have none."""
        for user, expires_at in (("open", None), ("early", 10.0), ("late", 20.0)):
            await stores.presences.add(Presence(user, "connection", "node", expires_at))
        assert list(await stores.presences.due(10.0)) == []
        assert [presence.user_id for presence in await stores.presences.due(10.5)] == ["early"]
        assert len(await stores.presences.all()) == 3

    async def test_get_many(self, stores: Stores) -> None:
        """Of many users the presences of those who have one come back, by user."""
        presences = {user: Presence(user, "connection", "node", None) for user in ("ann", "bob", "cho")}
        for presence in presences.values():
            await stores.presences.add(presence)
        assert dict(await stores.presences.get_many([*presences, "stranger", "ann"])) == presences
        assert dict(await stores.presences.get_many([])) == {}

    async def test_expect_all(self, stores: Stores) -> None:
        """Other nodes' connections get a deadline, shorter leases a later one; graces and one's own keep theirs."""
        untouched = [
            Presence("here", "connection1", "this", None),
            Presence("dropped", "connection2", "that", 10.0),
            Presence("long", "", "that", 30.0),
            Presence("gone", "connection3", "that", None),
        ]
        changed = [Presence("there", "connection4", "that", None), Presence("short", "", "this", 10.0)]
        for presence in (*untouched, *changed):
            await stores.presences.add(presence)
        await stores.presences.remove(untouched.pop())
        expected = [evolve(presence, expires_at=20.0, rev=2) for presence in changed]
        for _ in range(2):
            await stores.presences.expect_all(20.0, node="this")
            assert set(await stores.presences.all()) == {*untouched, *expected}
        assert await stores.presences.replace(expected[0].until(21.0)) == evolve(
            expected[0], expires_at=21.0, rev=3
        )


class FeedbackContract:
    """FeedbackStore."""

    async def test_numbers(self, stores: Stores) -> None:
        """Feedback that comes in at the same time gets the numbers from 1 on, each once."""
        many = [Feedback(f"user{n}", "'NUL \0' 👍", "https://files/1.png", n + 0.5) for n in range(50)]
        numbers = await asyncio.gather(*(stores.feedback.add(feedback) for feedback in many))
        assert sorted(numbers) == list(range(1, 51))
        assert [await stores.feedback.get(number) for number in numbers] == many
        assert await stores.feedback.get(51) is None

    async def test_numbers_go_on(self, ground: Ground) -> None:
        """After a restart numbering goes on where it was."""
        feedback = Feedback("user", "text", "", 1.0)
        assert await ground.stores.feedback.add(feedback) == 1
        await ground.reopen()
        assert await ground.stores.feedback.add(feedback) == 2
        assert await ground.stores.feedback.get(1) == feedback


FEEDBACK = Feedback("user", "'NUL \0' 👍", "https://files/1.png", 1763881262.123456)
WAITING = MailState.WAITING


class FeedbackMailsContract:
    """FeedbackStore, as far as mails are concerned."""

    async def test_due_with_the_feedback(self, stores: Stores) -> None:
        """A mail is due as soon as the feedback is there, if there is to be one, and not before its time."""
        await stores.feedback.add(FEEDBACK)
        number = await stores.feedback.add(FEEDBACK, mail_at=10.25)
        assert list(await stores.feedback.mails_due(10.0, limit=9)) == []
        mail = FeedbackMail(number, FEEDBACK, WAITING, 10.25, tries=0, rev=1)
        assert list(await stores.feedback.mails_due(10.25, limit=9)) == [mail]
        assert await stores.feedback.get(number) == FEEDBACK

    async def test_longest_due_first(self, stores: Stores) -> None:
        """A batch is what has been due for longest; the rest of it has to wait."""
        for due_at in (5.0, 3.0, 9.0, 1.0, 4.0):
            await stores.feedback.add(FEEDBACK, mail_at=due_at)
        due = await stores.feedback.mails_due(8.0, limit=3)
        assert [(mail.number, mail.due_at) for mail in due] == [(4, 1.0), (2, 3.0), (5, 4.0)]

    async def test_life_of_a_mail(self, stores: Stores) -> None:
        """A mail that is taken is due later; one that is over is never due again, and the feedback stays."""
        for _ in range(2):
            await stores.feedback.add(FEEDBACK, mail_at=1.0)
        first, second = await stores.feedback.mails_due(1.0, limit=9)
        taken = await stores.feedback.replace_mail(first.taken(7.0))
        assert taken == FeedbackMail(first.number, FEEDBACK, WAITING, 7.0, tries=1, rev=2)
        assert list(await stores.feedback.mails_due(1.0, limit=9)) == [second]
        assert list(await stores.feedback.mails_due(7.0, limit=9)) == [second, taken]
        await stores.feedback.replace_mail(taken.sent())
        await stores.feedback.replace_mail(second.given_up())
        assert list(await stores.feedback.mails_due(1e12, limit=9)) == []
        assert await stores.feedback.get(first.number) == FEEDBACK

    async def test_one_of_many_takes_it(self, stores: Stores) -> None:
        """Of many who take the same mail at the same time one has it."""
        await stores.feedback.add(FEEDBACK, mail_at=1.0)
        [mail] = await stores.feedback.mails_due(1.0, limit=9)
        results = await outcomes(*(stores.feedback.replace_mail(mail.taken(float(n))) for n in range(20)))
        [taken] = [result for result in results if isinstance(result, FeedbackMail)]
        assert [type(result) for result in results].count(Stale) == 19
        assert list(await stores.feedback.mails_due(99.0, limit=9)) == [taken]

    async def test_no_mail_out_of_nothing(self, stores: Stores) -> None:
        """Feedback without a mail, and feedback that does not exist, cannot be given one."""
        number = await stores.feedback.add(FEEDBACK)
        for missing in (number, number + 1):
            results = await outcomes(
                stores.feedback.replace_mail(FeedbackMail(missing, FEEDBACK, WAITING, 1.0))
            )
            assert [type(result) for result in results] == [Stale]
        assert await stores.feedback.outbox() == Outbox(0, None)
        assert await stores.feedback.get(number + 1) is None

    async def test_outbox(self, stores: Stores) -> None:
        """The outbox counts what waits, and knows when the first of it is due."""
        assert await stores.feedback.outbox() == Outbox(0, None)
        for due_at in (5.5, 3.5, None, 9.5):
            await stores.feedback.add(FEEDBACK, mail_at=due_at)
        assert await stores.feedback.outbox() == Outbox(3, 3.5)
        [first] = await stores.feedback.mails_due(4.0, limit=9)
        await stores.feedback.replace_mail(first.sent())
        assert await stores.feedback.outbox() == Outbox(2, 5.5)

    async def test_kept_over_a_restart(self, ground: Ground) -> None:
        """What waits, and what is over, is known after a restart."""
        for _ in range(3):
            await ground.stores.feedback.add(FEEDBACK, mail_at=1.0)
        first, second, third = await ground.stores.feedback.mails_due(1.0, limit=9)
        await ground.stores.feedback.replace_mail(first.sent())
        taken = await ground.stores.feedback.replace_mail(second.taken(5.0))
        await ground.reopen()
        assert list(await ground.stores.feedback.mails_due(9.0, limit=9)) == [third, taken]
