"""SMS codes and sending quotas in SQLite."""

import json

from qlive_adapters.sqlite.table import Fact, Row, SqliteFactStore, Table
from qlive_core.model.sms import SendQuota, SmsCode


class _Sendings(SqliteFactStore[Fact]):
    """What both have in common: ``sent_at``, a JSON list of times."""

    async def purge(self, sent_before: float) -> int:
        """As SmsCodeStore.purge and SendQuotaStore.purge."""
        return await self._delete_where(
            "WHERE NOT EXISTS (SELECT 1 FROM json_each(sent_at) WHERE value >= ?)", sent_before
        )


def _times(text: str) -> tuple[float, ...]:
    return tuple(json.loads(text))


def _encode_code(code: SmsCode) -> Row:
    return (
        code.phone,
        code.salt,
        code.code_hash,
        code.expires_at,
        code.attempts_left,
        json.dumps(code.sent_at),
    )


def _decode_code(row: Row) -> SmsCode:
    phone, salt, code_hash, expires_at, attempts_left, sent_at, rev = row
    return SmsCode(phone, salt, code_hash, expires_at, attempts_left, _times(sent_at), rev)


class SqliteSmsCodes(_Sendings[SmsCode]):
    """Implements SmsCodeStore."""

    table = Table(
        SmsCode,
        "sms_code",
        ("phone", "salt", "code_hash", "expires_at", "attempts_left", "sent_at"),
        _encode_code,
        _decode_code,
    )


class SqliteSendQuotas(_Sendings[SendQuota]):
    """Implements SendQuotaStore."""

    table = Table(
        SendQuota,
        "send_quota",
        ("address", "sent_at"),
        lambda quota: (quota.address, json.dumps(quota.sent_at)),
        lambda row: SendQuota(row[0], _times(row[1]), row[2]),
    )
