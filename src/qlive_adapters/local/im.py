"""The ``test`` IM provider."""

from qlive_core.ports.clouds import ImCloud


class LocalIm:
    """Hands out tokens that no cloud knows; qlive's own signalling is the channel."""

    async def user_token(self, user_id: str, *, nickname: str, avatar: str) -> str:  # noqa: ARG002 - its port's
        """Return the token with which the user would connect."""
        return f"im-token.{user_id}"


_im: type[ImCloud] = LocalIm
