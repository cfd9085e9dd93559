"""Who a person is."""

from attrs import evolve, field, frozen

from qlive_core.model.texts import AVATAR, GENDER, NICKNAME


def _nickname(text: str) -> str:
    return NICKNAME.cut(text)


def _gender(text: str) -> str:
    return GENDER.cut(text)


def _avatar(text: str) -> str:
    return AVATAR.cut(text)


@frozen
class Account:
    """One person, known by one phone number.

    ``id`` has 12 characters ``[0-9a-z]``; ``phone`` is unique; times are Unix seconds. ``gender`` and
    ``avatar`` are free text that the apps choose.
    """

    id: str
    phone: str
    nickname: str = field(converter=_nickname)
    gender: str = field(converter=_gender)
    avatar: str = field(converter=_avatar)
    registered_at: float
    last_login_at: float
    rev: int = 1

    @classmethod
    def register(cls, *, user_id: str, phone: str, avatar: str, now: float) -> "Account":
        """Return the account of a phone that logs in for the first time."""
        return cls(user_id, phone, f"用户_{phone[-4:]}", "", avatar, now, now)

    def with_profile(self, *, nickname: str = "", gender: str = "", avatar: str = "") -> "Account":
        """Return the account with those parts changed that are not empty. Raises BadRequest."""
        return evolve(
            self,
            nickname=NICKNAME.checked(nickname) or self.nickname,
            gender=GENDER.checked(gender) or self.gender,
            avatar=AVATAR.checked(avatar) or self.avatar,
        )

    def logged_in(self, now: float) -> "Account":
        """Return the account after a login at ``now``."""
        return evolve(self, last_login_at=now)
