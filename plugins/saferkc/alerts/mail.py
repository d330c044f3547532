"""A message as mail: text and HTML, its picture within; over SMTP with TLS, or as a file where no server is set."""

from __future__ import annotations

import re
import smtplib
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from saferkc.settings import MessageSettings, Settings

# .invalid is reserved (RFC 2606): a file of the outbox that is sent by mistake reaches nobody
_DOMAIN = "saferkc.invalid"
# how HTML refers to the picture of its message
PICTURE = "picture@saferkc.invalid"
_TIMEOUT_SECONDS = 30


class NotSentError(Exception):
    """A message was not taken; ``is_final`` where it never will be. Its words hold no password."""

    def __init__(self, told: str, *, is_final: bool = False) -> None:
        super().__init__(told)
        self.is_final = is_final


@dataclass(frozen=True)
class Message:
    """What is sent. ``key`` is the same in every copy; ``written_at`` is when it was queued."""

    key: str
    subject: str
    text: str
    html: str
    written_at: datetime
    picture: bytes | None = None
    # who reads answers to it, where that is not who sends it
    reply_to: tuple[str, ...] = ()


def address_of(audience: str) -> str:
    """Return the address that stands in a file of the outbox for an audience of the ledger."""
    return f"{audience.replace('_', '.')}@{_DOMAIN}"


def as_mail(settings: MessageSettings, to: str, message: Message) -> EmailMessage:
    """Return the message as mail to one address; copies of it have the same ``Message-ID``."""
    sender = settings.mail_from or f"warehouse@{_DOMAIN}"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender if "<" in sender else f"Safer K&C warehouse <{sender}>"
    mail["To"] = to
    if message.reply_to:
        mail["Reply-To"] = ", ".join(message.reply_to)
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.written_at)
    number = sha256(f"{message.key}\0{to}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{number}@{sender.rpartition('@')[2].rstrip('> ') or _DOMAIN}>"
    mail["X-Saferkc-Key"] = message.key
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    if message.picture is not None:
        part = mail.get_payload(1)
        assert isinstance(part, EmailMessage)  # noqa: S101 - the HTML that was added above
        part.add_related(
            message.picture, "image", "png", cid=f"<{PICTURE}>", filename="chart.png", disposition="inline"
        )
    return mail


def as_page(message: Message) -> str:
    """Return the message as one web page that has its picture in it."""
    if message.picture is None:
        return message.html
    return message.html.replace(f"cid:{PICTURE}", f"data:image/png;base64,{b64encode(message.picture).decode()}")


def send_mail(settings: Settings, to: str, message: Message) -> None:
    """Send the message to one address: by the mail server, or into the outbox where none is set.

    Raises ``NotSentError``.
    """
    mail = as_mail(settings.messages, to, message)
    if settings.messages.mail_url is None:
        write_mail(settings, mail, message)
    else:
        _send(settings.messages, settings.messages.mail_url, to, mail)


def write_mail(settings: Settings, mail: EmailMessage, message: Message) -> Path:
    """Write a mail as a file of the outbox and return its path: the same message once more is the same file."""
    settings.outbox.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", message.subject.lower()).strip("-")[:60]
    number = str(mail["Message-ID"])[1:9]
    path = settings.outbox / f"{message.written_at:%Y%m%dT%H%M%S}-{slug}-{number}.eml"
    draft = path.with_suffix(".part")
    draft.write_bytes(mail.as_bytes())
    draft.replace(path)
    return path


def _send(settings: MessageSettings, url: str, to: str, mail: EmailMessage) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise NotSentError("SAFERKC_MAIL_URL is no address of a mail server: write smtp://user:password@host:587")
    context = ssl.create_default_context(cafile=settings.mail_ca)
    try:
        with _server(parts.scheme, parts.hostname, parts.port, context) as server:
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(mail, to_addrs=[to])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotSentError(f"the mail server refuses {to} ({codes[0]})", is_final=min(codes) >= 500) from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotSentError(f"the mail server does not take the password ({error.smtp_code})") from error
    except smtplib.SMTPResponseException as error:
        is_final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        raise NotSentError(f"the mail server refuses the message ({error.smtp_code})", is_final=is_final) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(f"the mail server can't be reached: {type(error).__name__}") from error


def _server(scheme: str, host: str, port: int | None, context: ssl.SSLContext) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, port or 587, timeout=_TIMEOUT_SECONDS)
    # a server that offers no TLS is an error: nothing is sent in the clear
    server.starttls(context=context)
    return server
