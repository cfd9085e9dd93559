"""How the fake of RongCloud behaves where an operator, or the vendor, may set it otherwise."""

from attrs import define


@define
class RongCloudKnobs:
    """All of them."""

    nonce_max: int = 18
    """Longest nonce; the documented limit, although one of the vendor's SDKs sends 19 and is let in."""
    calls_per_s: int = 0
    """Calls to one path that are let in each second; the vendor's usual limit is 100, 0 is none."""
    client_messages_per_s: int = 0
    """Messages that one client may send each second; the vendor's limit is 5, 0 is none."""
    keepalive: bool = True
    """Whether the application has the feature of chat rooms that are kept alive."""
    max_users: int = 0
    """Users that there may be; the vendor gives 100 to an application in development, 0 is no limit."""
