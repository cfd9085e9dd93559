"""Accounts, sessions, phones and codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_core.model.account import Account
from qlive_core.model.session import hash_token
from qlive_core.model.sms import SmsCode, hash_code, is_phone_number, recent

PHONE = "13812345678"


def sms_code(code: str = "123456", *, attempts_left: int = 5, expires_at: float = 300.0) -> SmsCode:
    """Return a stored code."""
    return SmsCode(PHONE, "salt", hash_code(PHONE, "salt", code), expires_at, attempts_left, (0.0,))


def test_a_new_account() -> None:
    """A first login is called after the last four digits of the phone."""
    account = Account.register(user_id="abc", phone=PHONE, avatar="1.jpg", now=7.0)
    assert account == Account("abc", PHONE, "用户_5678", "", "1.jpg", 7.0, 7.0, rev=1)


def test_a_profile_changes_where_something_is_given() -> None:
    """Empty parts of a profile stay as they are."""
    account = Account("abc", PHONE, "old", "male", "1.jpg", 1.0, 1.0)
    changed = account.with_profile(nickname="new", avatar="2.jpg")
    assert (changed.nickname, changed.gender, changed.avatar) == ("new", "male", "2.jpg")
    assert account.with_profile() == account
    assert account.logged_in(9.0).last_login_at == 9.0


@pytest.mark.parametrize("phone", ["13812345678", "19999999999", "15000000000"])
def test_phones(phone: str) -> None:
    """Eleven digits that begin as mainland mobile numbers do."""
    assert is_phone_number(phone)


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "12812345678",
        "1381234567",
        "138123456789",
        "+8613812345678",
        " 13812345678",
        "13812345678\n",
        "abc13812345678xyz",
        "1381234567x",
        "1\uff13812345678",
        "1381234567٣",
    ],
)
def test_what_only_contains_a_phone_is_none(phone: str) -> None:
    """The whole text must be the number, in ASCII digits; the original took anything around it."""
    assert not is_phone_number(phone)


@given(st.text())
def test_phones_have_one_shape(text: str) -> None:
    """Whatever passes is eleven ASCII digits."""
    if is_phone_number(text):
        assert len(text) == 11
        assert text.isascii()
        assert text.isdigit()


@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_a_code_matches_itself_alone(code: str, guess: str) -> None:
    """A guess matches exactly if it is the code; the code itself is not kept."""
    stored = sms_code(code)
    assert stored.matches(guess) is (guess == code)
    assert code not in stored.code_hash or len(set(code)) == 1


def test_equal_codes_are_stored_differently() -> None:
    """Phone and salt go into the hash."""
    assert len({hash_code(p, s, "123456") for p in (PHONE, "13900000000") for s in ("a", "b")}) == 4


def test_a_code_lives_until_its_deadline_or_its_last_attempt() -> None:
    """A code dies with time, with use, and with the fifth wrong guess."""
    code = sms_code()
    assert code.is_live(299.9)
    assert not code.is_live(300.0)
    assert not code.used().is_live(0.0)
    for left in range(4, -1, -1):
        code = code.missed()
        assert code.attempts_left == left
        assert code.is_live(0.0) is (left > 0)


@given(st.lists(st.integers(0, 100)), st.integers(0, 100))
def test_recent(sent: list[int], within: int) -> None:
    """A sending counts while less than the window has passed since."""
    assert recent(tuple(sent), now=100, within_s=within) == tuple(t for t in sent if t > 100 - within)


def test_a_token_is_not_stored() -> None:
    """Only a digest of a token is kept, and any text has one."""
    assert hash_token("secret") == hash_token("secret") != hash_token("Secret")
    assert "secret" not in hash_token("secret")
    assert len(hash_token("\ud800")) == 64
