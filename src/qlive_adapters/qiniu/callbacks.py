"""Requests that Kodo, the object storage, sends when an upload is done."""

import hmac

from attrs import frozen

from qlive_adapters.qiniu.authorization import (
    Signable,
    qbox_authorization,
    qbox_covers_body,
    qiniu_authorization,
    qiniu_covers_body,
)
from qlive_adapters.qiniu.signing import Credentials


@frozen
class UploadCallbacks:
    """Tells Kodo's requests from forged ones."""

    credentials: Credentials

    def is_genuine(self, request: Signable, authorization: str) -> bool:
        """Tell whether Kodo sent the request with this ``Authorization`` header, body included.

        ``request`` names host and path of the callback's public URL, which a proxy may have changed on the way. A
        body that the scheme does not cover could be anybody's, so it is refused: with ``QBox`` only forms are
        covered.
        """
        if authorization.startswith("Qiniu "):
            covered, expected = qiniu_covers_body(request), qiniu_authorization(self.credentials, request)
        else:
            covered, expected = qbox_covers_body(request), qbox_authorization(self.credentials, request)
        same = hmac.compare_digest(expected.encode(), authorization.encode())
        return same and (covered or not request.body)
