"""Mail to people, as files in the outbox while no mail server is set."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path

from saferkc.settings import Settings

# .invalid is reserved (RFC 2606): a file of the outbox that is sent by mistake reaches nobody
_DOMAIN = "saferkc.invalid"


def address_of(audience: str) -> str:
    """Return the mail address of an audience of the ledger."""
    return f"{audience.replace('_', '.')}@{_DOMAIN}"


def send_mail(settings: Settings, to: str, subject: str, text: str) -> Path:
    """Write a mail (plain text, and the same as simple HTML) into the outbox and return its path.

    ``text`` holds paragraphs between blank lines; lines that begin with ``- `` become a list. It must hold no
    value of a record: mail leaves the house.
    """
    now = datetime.now(UTC)
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Safer K&C warehouse <warehouse@{_DOMAIN}>"
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=_DOMAIN)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(_as_html(subject, text), subtype="html")

    settings.outbox.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")[:60]
    path = settings.outbox / f"{now:%Y%m%dT%H%M%S.%fZ}-{slug}.eml"
    draft = path.with_suffix(".part")
    draft.write_bytes(message.as_bytes())
    draft.replace(path)
    return path


def _as_html(subject: str, text: str) -> str:
    blocks = [_block(block) for block in re.split(r"\n\s*\n", text.strip())]
    return (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        f"<title>{html.escape(subject)}</title></head>"
        '<body style="font-family: sans-serif; max-width: 42em">' + "".join(blocks) + "</body></html>"
    )


def _block(block: str) -> str:
    """A paragraph; its lines that begin with ``- `` (and their indented continuations) become a list."""
    lead: list[str] = []
    items: list[str] = []
    for line in block.splitlines():
        if line.startswith("- "):
            items.append(line[2:])
        elif items and line.startswith("  "):
            items[-1] += " " + line.strip()
        else:
            lead.append(line)
    paragraph = f"<p>{html.escape(' '.join(lead))}</p>" if lead else ""
    listing = "".join(f"<li>{html.escape(item)}</li>" for item in items)
    return paragraph + (f"<ul>{listing}</ul>" if items else "")
