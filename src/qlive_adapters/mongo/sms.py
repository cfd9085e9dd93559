"""SMS codes and sending quotas in MongoDB."""

from datetime import datetime

from qlive_adapters.mongo.documents import SendQuotaDocument, SmsCodeDocument
from qlive_adapters.mongo.facts import Fact, MongoFactStore, Shape
from qlive_adapters.mongo.times import date_of
from qlive_core.model.sms import SendQuota, SmsCode


class _Sendings(MongoFactStore[Fact]):
    """What both have in common: ``sent_at``, a list of times."""

    async def purge(self, sent_before: float) -> int:
        """As SmsCodeStore.purge and SendQuotaStore.purge. The date has an index; the list is exact."""
        return await self._delete_where(
            {"ttl_from": {"$lte": date_of(sent_before)}, "sent_at": {"$not": {"$gte": sent_before}}}
        )


def _last(sent_at: tuple[float, ...]) -> datetime:
    return date_of(max(sent_at, default=0.0))


def _encode_code(code: SmsCode) -> SmsCodeDocument:
    return SmsCodeDocument(
        id=code.phone,
        salt=code.salt,
        code_hash=code.code_hash,
        expires_at=code.expires_at,
        attempts_left=code.attempts_left,
        sent_at=list(code.sent_at),
        ttl_from=_last(code.sent_at),
        rev=code.rev,
    )


def _decode_code(stored: SmsCodeDocument) -> SmsCode:
    return SmsCode(
        phone=stored.id,
        salt=stored.salt,
        code_hash=stored.code_hash,
        expires_at=stored.expires_at,
        attempts_left=stored.attempts_left,
        sent_at=tuple(stored.sent_at),
        rev=stored.rev,
    )


def _encode_quota(quota: SendQuota) -> SendQuotaDocument:
    return SendQuotaDocument(
        id=quota.address, sent_at=list(quota.sent_at), ttl_from=_last(quota.sent_at), rev=quota.rev
    )


class MongoSmsCodes(_Sendings[SmsCode]):
    """Implements SmsCodeStore."""

    shape = Shape(SmsCode, SmsCodeDocument, "phone", _encode_code, _decode_code)


class MongoSendQuotas(_Sendings[SendQuota]):
    """Implements SendQuotaStore."""

    shape = Shape(
        SendQuota,
        SendQuotaDocument,
        "address",
        _encode_quota,
        lambda stored: SendQuota(stored.id, tuple(stored.sent_at), stored.rev),
    )
