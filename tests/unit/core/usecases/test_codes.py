"""SMS codes: limits, single use, wrong guesses, and sendings that fail."""

from collections.abc import Callable

import pytest

from core.world import FIXED_CODE, FIXED_PHONES, World, refusal
from qlive_core.errors import InvalidPhoneNumber, ProviderUnavailable, SmsCodeLimited, WrongSmsCode

PHONE = "13812345678"
HOME = "192.0.2.1"


async def sent(world: World, phone: str = PHONE, address: str = HOME) -> str:
    """Send a code and return it."""
    await world.codes.send(phone, address)
    return world.sms.sent[-1][1]


@pytest.mark.parametrize(
    ("phone", "detail"),
    [(None, "empty phone number"), ("", "invalid phone number"), ("+8613812345678", "invalid phone number")],
)
async def test_what_is_no_phone(world: World, phone: str | None, detail: str) -> None:
    """An absent parameter and a wrong one are told apart."""
    with pytest.raises(InvalidPhoneNumber) as refused:
        await world.codes.send(phone, HOME)
    assert refused.value.detail == detail
    assert world.sms.sent == []


async def test_a_code_works_once(world: World) -> None:
    """The right code is used up by its use."""
    code = await sent(world)
    await world.codes.check(PHONE, code)
    assert await refusal(world.codes.check(PHONE, code)) is WrongSmsCode


async def test_a_code_is_of_one_phone(world: World) -> None:
    """A code does not open another phone."""
    code = await sent(world)
    await sent(world, "13812345679")
    assert await refusal(world.codes.check("13812345679", code)) is WrongSmsCode
    assert await refusal(world.codes.check(PHONE, code)) is None


async def test_a_code_lives_five_minutes(world: World) -> None:
    """It works just before and not at its deadline."""
    code = await sent(world)
    world.clock.advance(299.9)
    assert await refusal(world.codes.check(PHONE, code)) is None
    world.clock.advance(60)
    code = await sent(world)
    world.clock.advance(300)
    assert await refusal(world.codes.check(PHONE, code)) is WrongSmsCode


@pytest.mark.parametrize(("wrong", "works"), [(4, True), (5, False), (6, False)])
async def test_five_wrong_guesses_kill_it(world: World, wrong: int, works: bool) -> None:
    """The fifth wrong guess is the last; then the right code does not work either."""
    code = await sent(world)
    for _ in range(wrong):
        assert await refusal(world.codes.check(PHONE, "wrong")) is WrongSmsCode
    assert (await refusal(world.codes.check(PHONE, code)) is None) is works


async def test_a_new_code_replaces_the_old(world: World) -> None:
    """One live code per phone."""
    old = await sent(world)
    world.clock.advance(60)
    new = await sent(world)
    assert await refusal(world.codes.check(PHONE, old)) is WrongSmsCode
    assert await refusal(world.codes.check(PHONE, new)) is None


async def test_resending_takes_a_minute(world: World) -> None:
    """Within sixty seconds of the last sending there is no other, also after the code was used."""
    code = await sent(world)
    await world.codes.check(PHONE, code)
    world.clock.advance(59.9)
    assert await refusal(world.codes.send(PHONE, HOME)) is SmsCodeLimited
    world.clock.advance(0.1)
    assert await refusal(world.codes.send(PHONE, HOME)) is None


async def test_five_an_hour(world: World) -> None:
    """The sixth within the hour is refused; when the first is an hour old there may be one more."""
    for _ in range(5):
        await sent(world)
        world.clock.advance(61)
    assert await refusal(world.codes.send(PHONE, HOME)) is SmsCodeLimited
    world.clock.advance(3600 - 5 * 61)
    assert await refusal(world.codes.send(PHONE, HOME)) is None


async def test_ten_a_day(world: World) -> None:
    """The eleventh within the day is refused, however slowly they were asked for."""
    for _ in range(10):
        await sent(world)
        world.clock.advance(1000)
    assert await refusal(world.codes.send(PHONE, HOME)) is SmsCodeLimited
    world.clock.advance(86400 - 10 * 1000)
    assert await refusal(world.codes.send(PHONE, HOME)) is None


async def test_an_address_is_limited_too(world_with: Callable[..., World]) -> None:
    """Many phones from one address are refused; another address is not concerned; an hour later it may again."""
    world = world_with(sms_address_hourly_limit=3)
    for number in range(3):
        await sent(world, f"1390000100{number}")
    assert await refusal(world.codes.send("13900001009", HOME)) is SmsCodeLimited
    assert await refusal(world.codes.send("13900001009", "192.0.2.2")) is None
    world.clock.advance(3600)
    assert await refusal(world.codes.send("13900001008", HOME)) is None


async def test_a_refused_phone_does_not_count_for_the_address(world_with: Callable[..., World]) -> None:
    """Asking again too early uses up nothing of the address's quota."""
    world = world_with(sms_address_hourly_limit=2)
    await sent(world)
    for _ in range(5):
        assert await refusal(world.codes.send(PHONE, HOME)) is SmsCodeLimited
    assert await refusal(world.codes.send("13900001009", HOME)) is None


async def test_a_failed_sending_does_not_count_for_the_address(world_with: Callable[..., World]) -> None:
    """While the provider is away nobody uses up anything."""
    world = world_with(sms_address_hourly_limit=2)
    await sent(world)
    world.sms.fails = True
    for number in range(5):
        assert await refusal(world.codes.send(f"1390000100{number}", HOME)) is ProviderUnavailable
    world.sms.fails = False
    assert await refusal(world.codes.send("13900001009", HOME)) is None
    assert await refusal(world.codes.send("13900001008", HOME)) is SmsCodeLimited


async def test_fixed_codes(world: World) -> None:
    """A fixed code sends nothing, never wears out, and a wrong guess does it no harm."""
    phone = FIXED_PHONES[0]
    await world.codes.send(phone, HOME)
    assert world.sms.sent == []
    for _ in range(10):
        assert await refusal(world.codes.check(phone, "wrong")) is WrongSmsCode
        assert await refusal(world.codes.check(phone, FIXED_CODE)) is None
    world.clock.advance(10**6)
    assert await refusal(world.codes.check(phone, FIXED_CODE)) is None


async def test_a_failed_sending_is_taken_back(world: World) -> None:
    """It does not count, can be tried again at once, and the code from before works on."""
    before = await sent(world)
    world.clock.advance(60)
    world.sms.fails = True
    for _ in range(20):
        assert await refusal(world.codes.send(PHONE, HOME)) is ProviderUnavailable
    assert await refusal(world.codes.check(PHONE, before)) is None
    world.sms.fails = False
    after = await sent(world)
    assert await refusal(world.codes.check(PHONE, after)) is None


async def test_a_first_sending_that_fails_leaves_nothing(world: World) -> None:
    """A phone that never got a code has none."""
    world.sms.fails = True
    assert await refusal(world.codes.send(PHONE, HOME)) is ProviderUnavailable
    assert await world.stores.sms_codes.get(PHONE) is None


async def test_codes_are_not_stored(world: World) -> None:
    """What is stored does not contain the code."""
    code = await sent(world)
    stored = await world.stores.sms_codes.get(PHONE)
    assert stored is not None
    assert code not in repr(stored)
