"""What a text to the system user means: a request to be carried out, or merely that somebody is there."""

from qlive_core.signalling import Auth, BadRequest, Request, decode_request_body

MAX_CHARACTERS = 65536


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
