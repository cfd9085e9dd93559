"""Who a person is."""

from attrs import evolve, frozen


@frozen
class Account:
    """One person, known by one phone number.

    ``id`` has 12 characters ``[0-9a-z]``; ``phone`` is unique; times are Unix seconds. ``gender`` and
    ``avatar`` are free text that the apps choose.
    """

    id: str
    phone: str
    nickname: str
    gender: str
    avatar: str
    registered_at: float
    last_login_at: float
    rev: int = 1

    @classmethod
    def register(cls, *, user_id: str, phone: str, avatar: str, now: float) -> "Account":
        """Return the account of a phone that logs in for the first time."""
        return cls(user_id, phone, f"用户_{phone[-4:]}", "", avatar, now, now)

    def with_profile(self, *, nickname: str = "", gender: str = "", avatar: str = "") -> "Account":
        """Return the account with those parts changed that are not empty."""
        return evolve(
            self,
            nickname=nickname or self.nickname,
            gender=gender or self.gender,
            avatar=avatar or self.avatar,
        )

    def logged_in(self, now: float) -> "Account":
        """Return the account after a login at ``now``."""
        return evolve(self, last_login_at=now)
