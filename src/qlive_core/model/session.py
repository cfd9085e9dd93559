"""One live login per person."""

import hashlib

from attrs import frozen


def hash_token(token: str) -> str:
    """Return what is stored in place of a session token.

    A token has 256 random bits, so a plain digest cannot be turned back and needs no salt.
    """
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@frozen
class Session:
    """The login of a user. A new login replaces it, which is how the old token dies."""

    user_id: str
    token_hash: str
    expires_at: float
    rev: int = 1
