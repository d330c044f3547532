"""Mail as files: proper messages that any mail program opens."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email import policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from saferkc.alerts import address_of, send_mail
from saferkc.settings import Settings


def home(path: Path) -> Settings:
    return Settings(home=path, project_root=path, external_warehouse_url=None)


def test_a_mail_has_its_headers_and_both_forms(tmp_path: Path) -> None:
    path = send_mail(
        home(tmp_path), address_of("engineers"), "Build 7 is held", "Why:\n\n- one < two\n  and on\n- three\n\nDo & go."
    )
    assert path.parent == tmp_path / "outbox"
    assert path.suffix == ".eml"
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == "engineers@saferkc.invalid"
    assert message["Subject"] == "Build 7 is held"
    assert abs(parsedate_to_datetime(message["Date"]) - datetime.now(UTC)) < timedelta(minutes=5)
    rich = message.get_body(("html",))
    assert rich is not None
    text = rich.get_content()
    assert "<ul><li>one &lt; two and on</li><li>three</li></ul>" in text
    assert "<p>Do &amp; go.</p>" in text


@given(subject=st.text(max_size=200), text=st.text(max_size=500))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_subject_or_text_breaks_a_mail(tmp_path: Path, subject: str, text: str) -> None:
    subject, text = (one.encode("utf-8", "ignore").decode() for one in (subject, text))
    path = send_mail(home(tmp_path), address_of("community_safety_team"), subject, text)
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == "community.safety.team@saferkc.invalid"
    assert "Bcc" not in message
    assert message.get_body(("plain",)) is not None


def test_mails_of_one_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    paths = {send_mail(home(tmp_path), "a@b.invalid", "Same", "text") for _ in range(20)}
    assert len(paths) == 20
