"""The numbers that operators set."""

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Rules:
    """Limits and life times; all times in seconds. The defaults are those of the configuration."""

    max_rooms: int = 0
    session_ttl_s: float = 2_592_000
    default_avatars: tuple[str, ...] = ("1.jpg",)
    fixed_codes: Mapping[str, str] = field(factory=dict, repr=False)
    sms_resend_interval_s: float = 60
    sms_code_ttl_s: float = 300
    sms_max_attempts: int = 5
    sms_phone_hourly_limit: int = 5
    sms_phone_daily_limit: int = 10
    sms_address_hourly_limit: int = 60
    sms_address_wrong_hourly_limit: int = 1000
    pk_offer_timeout_s: float = 10
    join_request_timeout_s: float = 10
    grace_s: float = 20
    host_lease_s: float = 60
    audience_lease_s: float = 60
    signals_over_im: bool = False
    """Whether there is an IM cloud over which users are signalled; without one its signs mean nothing."""
    im_pong_timeout_s: float = 20
    im_ping_interval_s: float = 5
    attachment_url_prefix: str = ""
    mails_feedback: bool = False
    mail_retry_times: int = 3
    mail_retry_interval_s: float = 5
    mail_timeout_s: float = 20
