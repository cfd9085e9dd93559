"""Mail by SMTP (RFC 5321), encrypted with TLS (RFC 3207 and RFC 8314) and authenticated (RFC 4954)."""

from qlive_adapters.smtp.account import SmtpAccount, Tls
from qlive_adapters.smtp.mailer import SmtpMailer

__all__ = ["SmtpAccount", "SmtpMailer", "Tls"]
