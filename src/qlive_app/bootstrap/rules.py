"""From the configuration to the numbers that the core goes by."""

from qlive_app.config import Settings
from qlive_core.rules import Rules


def rules_of(settings: Settings) -> Rules:
    """Return the numbers of the configuration that the core goes by."""
    sms = settings.sms
    mail = settings.feedback_mail
    return Rules(
        max_rooms=settings.max_rooms,
        session_ttl_s=settings.session.ttl_s,
        default_avatars=settings.default_avatars,
        fixed_codes=sms.fixed_codes,
        sms_resend_interval_s=sms.resend_interval_s,
        sms_code_ttl_s=sms.code_ttl_s,
        sms_max_attempts=sms.max_attempts,
        sms_phone_hourly_limit=sms.phone_hourly_limit,
        sms_phone_daily_limit=sms.phone_daily_limit,
        sms_address_hourly_limit=sms.address_hourly_limit,
        sms_address_wrong_hourly_limit=sms.address_wrong_hourly_limit,
        pk_offer_timeout_s=settings.signaling.pk_request_timeout_s,
        join_request_timeout_s=settings.signaling.join_request_timeout_s,
        grace_s=settings.websocket_conf.reconnect_timeout_s,
        host_lease_s=settings.presence.host_connect_timeout_s,
        audience_lease_s=settings.presence.audience_lease_s,
        signals_over_im=settings.im.provider == "rongcloud",
        im_pong_timeout_s=settings.im.pong_timeout_s,
        im_ping_interval_s=settings.im.ping_ticker_s,
        attachment_url_prefix=settings.storage.url_prefix,
        mails_feedback=mail.enabled,
        mail_retry_times=mail.retry_times,
        mail_retry_interval_s=mail.retry_interval_s,
        mail_timeout_s=mail.timeout_s,
    )
