"""Upload tokens of Kodo, the object storage."""

from attrs import frozen

from qlive_adapters.qiniu.signing import Credentials
from qlive_core.ports.clouds import UploadTokens


@frozen
class QiniuUploadTokens:
    """Signs put policies for one bucket."""

    credentials: Credentials
    bucket: str

    def upload_token(self, *, filename: str, user_id: str, deadline: int) -> str:
        """Return a token that uploads exactly ``filename`` and never overwrites."""
        return self.credentials.sign_with_data(
            {
                "scope": f"{self.bucket}:{filename}",
                "deadline": deadline,
                "insertOnly": 1,
                "endUser": user_id,
            }
        )


_tokens: type[UploadTokens] = QiniuUploadTokens
