"""Kodo, the object storage: permissions to upload and to download, signed without a call."""

from attrs import frozen

from qlive_adapters.qiniu.signing import Credentials
from qlive_core.ports.clouds import UploadTokens


@frozen(kw_only=True)
class QiniuUploadTokens:
    """Signs put policies for one bucket.

    ``max_bytes`` limits the size of a file, 0 does not. ``mime_types`` are what a file may contain, such as
    ``image/png`` or ``image/*``; empty for anything.
    """

    credentials: Credentials
    bucket: str
    max_bytes: int = 0
    mime_types: tuple[str, ...] = ()

    def upload_token(self, *, filename: str, user_id: str, deadline: int) -> str:
        """Return a token that uploads exactly ``filename`` and never overwrites."""
        policy: dict[str, object] = {
            "scope": f"{self.bucket}:{filename}",
            "deadline": deadline,
            "insertOnly": 1,
            "endUser": user_id,
        }
        if self.max_bytes:
            policy["fsizeLimit"] = self.max_bytes
        if self.mime_types:
            policy["mimeLimit"] = ";".join(self.mime_types)
            # Without it the cloud believes what the uploader says that the file is.
            policy["detectMime"] = 1
        return self.credentials.sign_claims(policy)


_tokens: type[UploadTokens] = QiniuUploadTokens


def private_download_url(credentials: Credentials, url: str, *, deadline: int) -> str:
    """Return the URL by which a file in a private bucket can be had until ``deadline`` (Unix seconds)."""
    dated = f"{url}{'&' if '?' in url else '?'}e={deadline}"
    return f"{dated}&token={credentials.sign(dated.encode())}"
