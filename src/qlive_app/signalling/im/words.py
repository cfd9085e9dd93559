"""What users say over IM: a request to be carried out, or merely that they are there."""

from attrs import frozen

from qlive_core.signalling import Auth, BadRequest, Request, decode_request_body

MAX_CHARACTERS = 65536


@frozen
class Word:
    """Something that a user said over IM at ``at`` (Unix seconds); ``request`` is None for a mere sign of life.

    ``to_us`` tells that it was a text to the system user, be it only the answer to a ping.
    """

    user_id: str
    at: float
    request: Request | BadRequest | None
    to_us: bool


def request_in(text: str) -> Request | BadRequest | None:
    """Return the request in ``text``, or the reply to one that makes no sense; None for any other text.

    Only ``type={json}`` can be a request. Who says it is known from the cloud, so nobody needs to authenticate
    himself; and heartbeats ask for nothing: whatever is said over IM is a sign of life.
    """
    type_, _, body = text.partition("=")
    if not (body.startswith("{") and body.endswith("}")) or len(text) > MAX_CHARACTERS:
        return None
    decoded = decode_request_body(type_, body)
    if isinstance(decoded, Auth):
        return None
    if isinstance(decoded, Request) or (isinstance(decoded, BadRequest) and decoded.type != Auth.TYPE):
        return decoded
    return None
