"""Who is calling: login, logout, and the token in between."""

from attrs import evolve, frozen

from qlive_core.effects import Effect, HangUp, HangUpReason, Outcome
from qlive_core.errors import BadToken, Stale, Unavailable
from qlive_core.model.account import Account
from qlive_core.model.revision import first_revision
from qlive_core.model.session import Session, hash_token
from qlive_core.model.status import UserStatus
from qlive_core.ports.stores import AccountStore, SessionStore
from qlive_core.ports.world import Clock, Ids
from qlive_core.rules import Rules
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure, Seen
from qlive_core.usecases.races import redecided
from qlive_core.usecases.whereabouts import Whereabouts


@frozen
class LoggedIn:
    """The answer to a login. ``room_id`` is "" for a user who is nowhere."""

    account: Account
    token: str
    status: UserStatus
    room_id: str


@frozen
class Sessions:
    """The use cases of accounts and their sessions."""

    accounts: AccountStore
    sessions: SessionStore
    codes: Codes
    whereabouts: Whereabouts
    departure: Departure
    clock: Clock
    ids: Ids
    rules: Rules

    async def login(self, phone: str, code: str, address: str = "") -> Outcome[LoggedIn]:
        """Log in with an SMS code; the first login of a phone makes its account.

        The room and the PK of a user who is active go on. The old token dies at once, and so does the
        connection that used it. ``address`` is the client's. Raises WrongSmsCode and SmsCodeLimited.
        """
        await self.codes.check(phone, code, address)
        account = await self._account(phone)
        token = self.ids.session_token()
        await self._open_session(account.id, token)
        await self.departure.forget_app(account.id)
        here = await self.whereabouts.of(account.id)
        reply = LoggedIn(account, token, here.status, here.shown_room_id)
        older = HangUp(account.id, HangUpReason.LOGGED_OUT, not_opened_by=hash_token(token))
        return Outcome(reply, (older,))

    async def authenticate(self, token: str) -> str:
        """Return the id of the user whose token this is. Raises BadToken."""
        session = await self.sessions.by_token_hash(hash_token(token))
        if session is None or session.expires_at <= self.clock.now():
            raise BadToken("failed to authenticate with token")
        return session.user_id

    async def is_live(self, user_id: str) -> bool:
        """Tell whether the user is logged in, for those whom another channel than a token names."""
        session = await self.sessions.get(user_id)
        return session is not None and session.expires_at > self.clock.now()

    async def account(self, user_id: str) -> Account:
        """Return the account of a user who is logged in. Raises BadToken if it is gone."""
        account = await self.accounts.get(user_id)
        if account is None:
            raise BadToken("failed to authenticate with token")
        return account

    async def logout(self, token: str) -> Outcome[None]:
        """End the token's session and what its user takes part in, as if they had disconnected.

        That the session ends decides. If a login replaced it before, everything there is belongs to that login, and
        nothing happens. If the store fails later on, the connection is hung up all the same: then grace or lease end
        the rest.
        """
        session = await self.sessions.by_token_hash(hash_token(token))
        if session is None:
            return Outcome(None)
        seen = await self.departure.seen(session.user_id)
        if not await self._close_session(session):
            return Outcome(None)
        hang_up = HangUp(session.user_id, HangUpReason.LOGGED_OUT, opened_by=session.token_hash)
        try:
            left = await self._leave(seen)
        except Unavailable:
            return Outcome(None, (hang_up,))
        return Outcome(None, (*left, hang_up))

    @redecided
    async def update_profile(self, user_id: str, *, nickname: str, gender: str, avatar: str) -> Account:
        """Change those parts of the profile that are not empty; return the account."""
        account = await self.account(user_id)
        return await self.accounts.replace(
            account.with_profile(nickname=nickname, gender=gender, avatar=avatar)
        )

    @redecided
    async def _account(self, phone: str) -> Account:
        now = self.clock.now()
        account = await self.accounts.by_phone(phone)
        if account is not None:
            return await self._note_login(account, now)
        avatar = self.ids.choose(self.rules.default_avatars)
        account = Account.register(user_id=self.ids.user_id(), phone=phone, avatar=avatar, now=now)
        await self.accounts.add(account)
        return account

    async def _note_login(self, account: Account, now: float) -> Account:
        try:
            return await self.accounts.replace(account.logged_in(now))
        except Stale:
            # Another login or a change of the profile came at the same moment; the time is no matter.
            return account

    @redecided
    async def _open_session(self, user_id: str, token: str) -> None:
        now = self.clock.now()
        expires_at = now + self.rules.session_ttl_s
        old = await self.sessions.get(user_id)
        if old is None:
            await self.sessions.add(Session(user_id, hash_token(token), expires_at, first_revision(now)))
        else:
            await self.sessions.replace(evolve(old, token_hash=hash_token(token), expires_at=expires_at))

    @redecided
    async def _close_session(self, session: Session) -> bool:
        """End this session; tell whether it was still there."""
        current = await self.sessions.get(session.user_id)
        if current is None or current.token_hash != session.token_hash:
            return False
        await self.sessions.remove(current)
        return True

    async def _leave(self, seen: Seen) -> tuple[Effect, ...]:
        """Leave where the user was seen, and what they came to with the same token before it died."""
        left = (await self.departure.leave(seen)).effects
        now = await self.departure.seen(seen.user_id)
        # Seen while there is no session, it is no newer login's.
        if (now.presence or now.place) and await self.sessions.get(seen.user_id) is None:
            left += (await self.departure.leave(now)).effects
        return left
