"""Guessing codes: what it costs a stranger, and what a stranger can spoil for the phone's owner."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.world import FIXED_CODE, FIXED_PHONES, World, refusal
from qlive_adapters.local import HourlyAllowances
from qlive_core.errors import SmsCodeLimited, WrongSmsCode

PHONE, FIXED = "13900001000", FIXED_PHONES[0]
HOME, THIEF = "192.0.2.1", "198.51.100.1"


async def _sent(world: World) -> str:
    await world.codes.send(PHONE, HOME)
    return world.sms.sent[-1][1]


@pytest.mark.parametrize("phone", [PHONE, FIXED])
async def test_tries_from_one_address_are_few(world: World, phone: str) -> None:
    """After five wrong tries for a phone the right code does not help there, be it fixed or sent; an hour later it may."""
    code = FIXED_CODE if phone == FIXED else await _sent(world)
    for _ in range(5):
        assert await refusal(world.codes.check(phone, "wrong", THIEF)) is WrongSmsCode
    assert await refusal(world.codes.check(phone, code, THIEF)) is WrongSmsCode
    assert await refusal(world.codes.check(phone, code, HOME)) is None
    world.clock.advance(3600)
    assert await refusal(world.codes.check(FIXED, FIXED_CODE, THIEF)) is None


async def test_tries_made_at_once_are_counted(world: World) -> None:
    """Of a hundred at the same moment no more than five are looked at."""
    guesses = [f"{n:06d}" for n in range(1, 100)] + [FIXED_CODE]
    refusals = await asyncio.gather(*(refusal(world.codes.check(FIXED, guess, THIEF)) for guess in guesses))
    assert refusals == [WrongSmsCode] * 100


async def test_strangers_cannot_use_up_a_code(world: World) -> None:
    """However many addresses guess: who asked for the code can still use it, mistakes included."""
    code = await _sent(world)
    for n in range(50):
        for _ in range(6):
            assert await refusal(world.codes.check(PHONE, "wrong", f"198.51.100.{n}")) is WrongSmsCode
    assert await refusal(world.codes.check(PHONE, code, "203.0.113.1")) is WrongSmsCode
    for _ in range(4):
        assert await refusal(world.codes.check(PHONE, "wrong", HOME)) is WrongSmsCode
    assert await refusal(world.codes.check(PHONE, code, HOME)) is None


async def test_strangers_together_have_few_tries_for_a_fixed_code(world: World) -> None:
    """A hundred an hour from everywhere; where its owner logged in before, it goes on to work."""
    await world.codes.check(FIXED, FIXED_CODE, HOME)
    for n in range(100):
        assert await refusal(world.codes.check(FIXED, "wrong", f"198.51.100.{n}")) is WrongSmsCode
    assert await refusal(world.codes.check(FIXED, FIXED_CODE, "203.0.113.1")) is WrongSmsCode
    assert await refusal(world.codes.check(FIXED, FIXED_CODE, HOME)) is None


@pytest.mark.parametrize("phones", [[f"139{n:08d}" for n in range(30)], ["", "nonsense", "1" * 99]])
async def test_an_address_is_limited_over_all_phones(
    world_with: Callable[..., World], phones: list[str]
) -> None:
    """Known, unknown and impossible phones count alike; other addresses are not concerned."""
    world = world_with(sms_address_wrong_hourly_limit=30)
    for n in range(30):
        assert await refusal(world.sessions.login(phones[n % len(phones)], "1", THIEF)) is WrongSmsCode
    assert await refusal(world.sessions.login(FIXED, FIXED_CODE, THIEF)) is SmsCodeLimited
    assert await refusal(world.sessions.login(FIXED, FIXED_CODE, HOME)) is None


async def test_crowds_behind_one_address_are_not_limited(world_with: Callable[..., World]) -> None:
    """Right codes cost nothing."""
    world = world_with(sms_address_wrong_hourly_limit=2)
    for _ in range(20):
        for phone in FIXED_PHONES:
            assert await refusal(world.sessions.login(phone, FIXED_CODE, HOME)) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 4000)), max_size=80), st.integers(1, 9))
def test_an_allowance_is_never_exceeded(tries: list[tuple[str, float]], limit: int) -> None:
    """In no hour are there more than twice the limit, a full hour's rest gives all of it, and keys are apart."""
    now = 0.0
    allowances = HourlyAllowances(lambda: now)
    taken: dict[str, list[float]] = {}
    for key, pause in tries:
        now += pause
        if allowances.take(key, limit):
            taken.setdefault(key, []).append(now)
        else:
            assert taken[key][-1] > now - 3600
    for times in taken.values():
        for at in times:
            assert sum(at <= other < at + 3600 for other in times) <= 2 * limit
    now += 3601
    assert all(allowances.take("a", limit) for _ in range(limit))
    assert not allowances.take("a", limit)


def test_allowances_are_bounded() -> None:
    """A hundred thousand addresses leave no more than fits."""
    allowances = HourlyAllowances(lambda: 0.0, capacity=100)
    for n in range(1000):
        allowances.take(f"key {n}", 5)
        allowances.remember(f"key {n}", "x")
    assert len(allowances) == 200
