"""SMS codes: sending one, and taking it back in."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve, frozen

from qlive_core.errors import InvalidPhoneNumber, ProviderUnavailable, SmsCodeLimited, WrongSmsCode
from qlive_core.model.sms import DAY_S, HOUR_S, SendQuota, SmsCode, hash_code, is_phone_number, recent
from qlive_core.ports.clouds import SmsSender
from qlive_core.ports.stores import SendQuotaStore, SmsCodeStore
from qlive_core.ports.world import Allowances, Clock, Ids, Turns
from qlive_core.rules import Rules
from qlive_core.usecases.races import redecided

STRANGERS = 4
"""All addresses but the one that asked for a code have together so many times the tries of one address."""
_FIXED_STRANGERS = 20
"""The same, by the hour, for a fixed code, which nobody has to ask for."""


@frozen
class Codes:
    """The use cases of SMS codes."""

    codes: SmsCodeStore
    quotas: SendQuotaStore
    sms: SmsSender
    turns: Turns
    allowances: Allowances
    clock: Clock
    ids: Ids
    rules: Rules

    async def send(self, phone: str | None, address: str) -> None:
        """Send a new code to ``phone`` at the request of a client at ``address``; the old one dies.

        Phones with a fixed code get no message. Raises InvalidPhoneNumber, SmsCodeLimited, and
        ProviderUnavailable, in which case the failed sending does not count and can be tried again at once.
        """
        if phone is None:
            raise InvalidPhoneNumber("empty phone number")
        if not is_phone_number(phone):
            raise InvalidPhoneNumber("invalid phone number")
        code = self.ids.sms_code()
        before, after = await self._renew(phone, code, address)
        if phone in self.rules.fixed_codes:
            self.allowances.forget(_pair(phone, address))
            return
        try:
            await self.sms.send_code(phone, code)
        except ProviderUnavailable:
            await self._take_back(before, after)
            await self._uncount_address(address, after.sent_at[-1])
            raise
        self.allowances.forget(_pair(phone, address))
        self.allowances.remember(phone, address)

    async def check(self, phone: str, code: str, address: str = "") -> None:
        """Use up the code of ``phone``, tried by a client at ``address``.

        Raises WrongSmsCode, also if there is none or it was guessed at too often from here, and SmsCodeLimited if too
        many wrong codes came from the address.
        """
        with self._one_try(phone, address):
            fixed = self.rules.fixed_codes.get(phone)
            if fixed is None:
                await self._use(phone, code, own=self.allowances.recall(phone) in (None, address))
            elif not self._is_fixed(phone, fixed, code, address):
                await self._use(phone, code, own=True)

    @contextmanager
    def _one_try(self, phone: str, address: str) -> Iterator[None]:
        """Spend a try before it is made, for many are made at once; what was not wrong costs nothing."""
        allowances, rules = self.allowances, self.rules
        from_here, here = f"from {address}", rules.sms_address_wrong_hourly_limit
        if not allowances.take(from_here, here):
            raise SmsCodeLimited("too many wrong codes")
        if not is_phone_number(phone):
            raise WrongSmsCode
        if not allowances.take(_pair(phone, address), rules.sms_max_attempts):
            allowances.give_back(from_here, here)
            raise WrongSmsCode
        try:
            yield
        except WrongSmsCode:
            raise
        except BaseException:
            allowances.give_back(_pair(phone, address), rules.sms_max_attempts)
            allowances.give_back(from_here, here)
            raise
        allowances.forget(_pair(phone, address))
        allowances.give_back(from_here, here)

    def _is_fixed(self, phone: str, fixed: str, code: str, address: str) -> bool:
        """Compare with a fixed code; where somebody logged in with it before, strangers cannot use up the tries."""
        tries = self.rules.sms_max_attempts * _FIXED_STRANGERS
        known = self.allowances.recall(phone) == address
        if not known and not self.allowances.take(f"to {phone}", tries):
            raise WrongSmsCode
        if not hmac.compare_digest(fixed.encode(), code.encode()):
            return False
        if not known:
            self.allowances.give_back(f"to {phone}", tries)
            self.allowances.remember(phone, address)
        return True

    @redecided
    async def _renew(self, phone: str, code: str, address: str) -> tuple[SmsCode | None, SmsCode]:
        now = self.clock.now()
        old = await self.codes.get(phone)
        sent = recent(old.sent_at, now=now, within_s=DAY_S) if old else ()
        self._check_phone_limits(sent, now)
        async with self.turns.of(address):  # behind one address there may be very many phones
            await self._count_address(address, now)
        salt = self.ids.salt()
        new = SmsCode(
            phone=phone,
            salt=salt,
            code_hash=hash_code(phone, salt, code),
            expires_at=now + self.rules.sms_code_ttl_s,
            attempts_left=self.rules.sms_max_attempts * (1 + STRANGERS),
            sent_at=(*sent, now),
            rev=old.rev if old else 1,
        )
        if old:
            return old, await self.codes.replace(new)
        await self.codes.add(new)
        return None, new

    def _check_phone_limits(self, sent: tuple[float, ...], now: float) -> None:
        rules = self.rules
        if (
            recent(sent, now=now, within_s=rules.sms_resend_interval_s)
            or len(recent(sent, now=now, within_s=HOUR_S)) >= rules.sms_phone_hourly_limit
            or len(sent) >= rules.sms_phone_daily_limit
        ):
            raise SmsCodeLimited

    @redecided
    async def _count_address(self, address: str, now: float) -> None:
        old = await self.quotas.get(address)
        sent = recent(old.sent_at, now=now, within_s=HOUR_S) if old else ()
        if len(sent) >= self.rules.sms_address_hourly_limit:
            raise SmsCodeLimited
        if old:
            await self.quotas.replace(evolve(old, sent_at=(*sent, now)))
        else:
            await self.quotas.add(SendQuota(address, (now,)))

    @redecided
    async def _uncount_address(self, address: str, at: float) -> None:
        quota = await self.quotas.get(address)
        if quota is not None and at in quota.sent_at:
            index = quota.sent_at.index(at)
            await self.quotas.replace(
                evolve(quota, sent_at=(*quota.sent_at[:index], *quota.sent_at[index + 1 :]))
            )

    @redecided
    async def _take_back(self, before: SmsCode | None, after: SmsCode) -> None:
        stored = await self.codes.get(after.phone)
        if stored != after:
            return
        if before is None:
            await self.codes.remove(after)
        else:
            await self.codes.replace(evolve(before, rev=after.rev))

    @redecided
    async def _use(self, phone: str, code: str, *, own: bool) -> None:
        live = await self.codes.get(phone)
        if live is None or not live.is_live(self.clock.now()):
            raise WrongSmsCode
        if not own and live.attempts_left <= self.rules.sms_max_attempts:
            raise WrongSmsCode  # what is left is for the address that asked for the code
        right = live.matches(code)
        await self.codes.replace(live.used() if right else live.missed())
        if not right:
            raise WrongSmsCode


def _pair(phone: str, address: str) -> str:
    return f"{phone} from {address}"
