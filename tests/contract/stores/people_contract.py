"""What holds for accounts, sessions, codes, presences and feedback."""

import asyncio

from attrs import evolve

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.model.feedback import Feedback
from qlive_core.model.presence import Presence
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode

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

    async def test_open_elsewhere(self, stores: Stores) -> None:
        """Open elsewhere are presences with a live connection to another node."""
        await stores.presences.add(Presence("here", "connection1", "this", None))
        await stores.presences.add(Presence("there", "connection2", "that", None))
        await stores.presences.add(Presence("dropped", "connection3", "that", 10.0))
        assert [presence.user_id for presence in await stores.presences.open_elsewhere("this")] == ["there"]


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
