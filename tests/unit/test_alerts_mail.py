"""Messages as mail: proper ones that any mail program opens, and copies that a receiver knows again."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from saferkc.alerts.mail import PICTURE, Message, address_of, send_mail
from saferkc.settings import MessageSettings, Settings

WRITTEN = datetime(2017, 5, 8, 6, 30, tzinfo=UTC)
MESSAGE = Message("at_once:7", "Build 7 is held", "Why:\n\n- one < two", "<p>Why</p>", WRITTEN)


def home(path: Path) -> Settings:
    return Settings(home=path, project_root=path, external_warehouse_url=None)


def sent(path: Path, message: Message, to: str = address_of("engineers")) -> email.message.EmailMessage:
    send_mail(home(path), to, message)
    (file,) = (path / "outbox").glob("*.eml")
    read = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(read, email.message.EmailMessage)
    file.unlink()
    return read


def test_a_mail_has_its_headers_both_forms_and_the_picture_within(tmp_path: Path) -> None:
    mail = sent(tmp_path, replace(MESSAGE, picture=b"\x89PNG"))
    assert (mail["To"], mail["Subject"], mail["X-Saferkc-Key"]) == (
        "engineers@saferkc.invalid", "Build 7 is held", "at_once:7",
    )  # fmt: skip
    assert parsedate_to_datetime(mail["Date"]) == WRITTEN
    plain, rich = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and plain.get_content().split() == MESSAGE.text.split()
    assert rich is not None and rich.get_content().strip() == MESSAGE.html
    (picture,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert (picture["Content-ID"], picture.get_content()) == (f"<{PICTURE}>", b"\x89PNG")


def test_copies_have_one_number_and_other_messages_and_receivers_have_others(tmp_path: Path) -> None:
    numbers = [
        sent(tmp_path, message, to)["Message-ID"]
        for message, to in [
            (MESSAGE, "a@b.invalid"),
            (MESSAGE, "a@b.invalid"),
            (MESSAGE, "c@b.invalid"),
            (replace(MESSAGE, key="at_once:8"), "a@b.invalid"),
        ]
    ]
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 3


@given(subject=st.text(max_size=200), text=st.text(max_size=500))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_subject_or_text_breaks_a_mail(tmp_path: Path, subject: str, text: str) -> None:
    subject, text = (one.encode("utf-8", "ignore").decode() for one in (subject, text))
    mail = sent(tmp_path, replace(MESSAGE, subject=subject, text=text), address_of("community_safety_team"))
    assert mail["To"] == "community.safety.team@saferkc.invalid"
    assert "Bcc" not in mail
    assert mail.get_body(("plain",)) is not None


def test_settings_of_messages_are_read_by_audience_and_show_no_password() -> None:
    read = MessageSettings.load(
        {
            "SAFERKC_MAIL_URL": "smtp://me:secret@mail:587",
            "SAFERKC_MAIL_TO_TEAM": "a@x.org, b@x.org",
            "SAFERKC_MAIL_TO_AGENCY_POLICE": "c@x.org",
            "SAFERKC_NOTIFY_ENGINEERS": "slack://secret/secret/secret",
            "SAFERKC_PAGES_URL": "https://pages/saferkc/",
        }
    )
    assert read.mail_to == {"community_safety_team": ("a@x.org", "b@x.org"), "agency_police": ("c@x.org",)}
    assert read.notify == {"engineers": ("slack://secret/secret/secret",)}
    assert read.pages_url == "https://pages/saferkc"
    assert "secret" not in repr(read)
