"""What would be sent by Monday is seen before it is sent, and seeing it changes nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from loading_helpers import query
from saferkc.alerts import raise_alert
from saferkc.cli.decisions import preview_alerts
from saferkc.recording.ledger import add_change
from saferkc.recording.telling import tell_people
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect


def test_messages_of_monday_are_pages_and_stay_unsent(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview_alerts(settings, tmp_path / "none")
    assert "Nothing waits" in capsys.readouterr().out
    with connect(settings) as connection:
        add_change(connection, {
            "series": "Residential", "parent_series": "Burglary", "feed": "police_offences", "geography": "all",
            "effective_month": date(2010, 4, 1), "kind": "recording", "nature": "split", "confidence": 0.9,
            "evidence": {"sentences": ["“Dwelling” is gone."], "classes": ["Residential"]}, "state": "suspected",
            "register_id": None, "treatment": "bridge",
        })  # fmt: skip
        tell_people(connection, {})
        raise_alert(
            connection, dedup_key="late tmo_asb_cases", group_key=None, severity="act", audience="engineers",
            title="tmo_asb_cases is late", body="It comes every day.",
        )  # fmt: skip
    before = query(settings, "select * from quality.alert_event order by event_id")
    for _ in range(2):
        preview_alerts(settings, tmp_path / "seen")
    pages = {path.stem.partition("-")[2]: path.read_text() for path in (tmp_path / "seen").glob("*.html")}
    assert set(pages) == {"engineers", "community_safety_team"}
    assert "tmo_asb_cases is late" in pages["engineers"]
    assert "Burglary: probably a change in recording" in pages["community_safety_team"]
    assert "/answer" not in "".join(pages.values()) and "link.saferkc.invalid" not in "".join(pages.values())
    assert query(settings, "select count(*) from quality.outbox") == [(0,)]
    assert query(settings, "select * from quality.alert_event order by event_id") == before
