"""A change in counting through a night: looked for before the marts, asked by the audit, told to people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from publishing_helpers import scalar, write_manifest
from recording_helpers import NEW, NEW_NAME_FROM, NEW_NAME_MONTH, OLD, deliver_crime, kept_changes
from saferkc.alerts import Alert, list_alerts
from saferkc.cli.decisions import decide_change
from saferkc.publishing import AuditHeldError, AuditResult, audit, begin_build, build_data_docs, publish
from saferkc.recording.detect import MONTHS_TO_READ
from saferkc.recording.ledger import add_change, set_gone
from saferkc.recording.reading import read_feeds
from saferkc.recording.telling import tell_people
from saferkc.recording.watch import WatchError, watch
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, fetch_all

FEED = "mps_recorded_crime"
SUITE = {
    "schema": "rec_core",
    "description": "A mart of this test.",
    "tables": [
        {
            "table": "dim_ward",
            "checks": [
                {
                    "name": "there is a ward",
                    "severity": "error",
                    "owner": "engineers",
                    "finds_nothing": "select 1 from {batch} having count(*) = 0",
                    "meaning": "There is no ward at all.",
                    "next_step": "Mend the model.",
                }
            ],
        }
    ],
}


class Nights:
    """Nights of a warehouse with one small mart: begin, watch, models, audit, publish."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.suites = folder / "suites"
        self.suites.mkdir()
        (self.suites / "rec_core.yaml").write_text(yaml.safe_dump(SUITE))
        self.manifest = write_manifest(folder / "manifest.json", {"rec_core.dim_ward": {"primary_key": ["ward_name"]}})
        self.results = folder / "run_results.json"
        self.results.write_text('{"results": [{"unique_id": "model.saferkc.dim_ward", "status": "success"}]}')
        self.build_id = 0

    def begin(self) -> int:
        start = begin_build(self.settings)
        assert start.build_id is not None
        self.build_id = start.build_id
        return self.build_id

    def end(self) -> AuditResult:
        with connect(self.settings) as connection:
            connection.execute("truncate build_rec_core.dim_ward")
            connection.execute("insert into build_rec_core.dim_ward values ('Abingdon', %s)", (self.build_id,))
        result = audit(self.settings, self.build_id, self.results, manifest=self.manifest, suites_dir=self.suites)
        publish(self.settings, self.build_id, manifest=self.manifest)
        return result

    def run(self) -> AuditResult:
        watch(self.settings, self.begin())
        return self.end()

    def checks(self) -> dict[str, dict[str, Any]]:
        """What was asked of the feed's counting in the last build, by expectation."""
        with connect(self.settings) as connection:
            rows = fetch_all(
                connection,
                "select * from quality.check_result where build_id = %s and suite = %s",
                (self.build_id, f"counting of {FEED}"),
            )
        return {row["check_name"].partition(":")[0]: row for row in rows}

    def state(self) -> object:
        return scalar(self.settings, f"select state from quality.build where build_id = {self.build_id}")

    def alerts(self) -> list[Alert]:
        with connect(self.settings) as connection:
            return list_alerts(connection)

    def decide(self, decision: Any) -> None:
        (change,) = kept_changes(self.settings)
        decide_change(self.settings, int(str(change["change_id"])), decision, "asked the Metropolitan Police")


@pytest.fixture
def nights(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
    monkeypatch.setattr("getpass.getuser", lambda: "analyst")
    with connect(settings) as connection:
        connection.execute("create schema build_rec_core")
        connection.execute("create table build_rec_core.dim_ward (ward_name text, build_id bigint)")
    yield Nights(settings, tmp_path)


def test_an_unregistered_new_name_warns_with_its_evidence_until_somebody_decides(nights: Nights) -> None:
    deliver_crime(nights.settings, NEW_NAME_FROM + 1)
    result = nights.run()
    assert result.state == "passed"
    (warning,) = [text for text in result.warnings if FEED in text]
    assert f"“{NEW}” came in the place of “{OLD}”" in warning
    assert nights.state() == "published"
    (change,) = kept_changes(nights.settings)
    assert (change["state"], change["effective_month"]) == ("suspected", NEW_NAME_MONTH)

    checks = nights.checks()
    assert {name for name, row in checks.items() if not row["success"]} == {"code list known"}
    assert set(checks) == {
        "code list known", "sibling share stable", "history not restated", "period complete", "no unregistered break",
    }  # fmt: skip
    told = checks["code list known"]
    assert (told["severity"], told["feed"], told["table_name"]) == ("warning", FEED, f"raw.{FEED}")
    assert f"Change {change['change_id']}:" in told["observed"]["evidence"][0]

    build_data_docs(nights.settings, nights.build_id)
    pages = nights.settings.data_docs / f"build-{nights.build_id}"
    for page in (pages / "index.html", pages / f"counting-of-{FEED}--{FEED}.html"):
        assert f"Change {change['change_id']}: From May 2016" in page.read_text(), page.name

    (alert,) = nights.alerts()
    assert (alert.audience, alert.severity) == ("community_safety_team", "act")
    assert alert.title == "Burglary: new names, probably counted as before"
    for part in (
        f"What changed (Recorded crime by borough and ward, Metropolitan Police on the London Datastore): From May 2016"
        f" “{NEW}” came in the place of “{OLD}”",
        "Do not: say that the old name fell or the new one rose: they are probably the same thing.",
        "Safe to say: “Burglary” as a whole may be compared before and after May 2016, and so may each new name",
        "How sure: high (names or codes are new or gone).",
        f"`saferkc changes confirm {change['change_id']} --note TEXT`",
    ):
        assert part in alert.body

    # another night with something new: the same change, the same alert
    deliver_crime(nights.settings, NEW_NAME_FROM + 2)
    assert nights.run().warnings
    (again,) = nights.alerts()
    assert (again.alert_id, again.times_seen) == (alert.alert_id, 2)

    nights.decide("confirmed")
    assert nights.alerts() == []
    assert not [text for text in nights.run().warnings if FEED in text]
    known = nights.checks()["code list known"]
    assert known["success"]
    assert "Confirmed by the team." in known["observed"]["evidence"][0]


def test_a_change_that_the_register_has_is_told_as_known_and_alarms_nobody(nights: Nights) -> None:
    # the labels of the Metropolitan Police changed in January 2017
    deliver_crime(nights.settings, 50, new_name_from=48)
    assert nights.run().warnings == []
    (change,) = kept_changes(nights.settings)
    assert (change["state"], change["register_id"]) == ("registered", "mps_labels_2017")
    assert nights.alerts() == []
    known = nights.checks()["code list known"]
    assert known["success"]
    assert "Known: mps_labels_2017 in the register." in known["observed"]["evidence"][0]


def test_a_month_that_is_not_all_there_holds_the_build_until_it_is(nights: Nights) -> None:
    deliver_crime(nights.settings, 36, new_name_from=None)
    nights.run()
    published = nights.build_id
    # a name has changed as well: while the fault stands nothing is said about counting
    deliver_crime(nights.settings, 37, new_name_from=24, newest=0.55)
    with pytest.raises(AuditHeldError, match=r"January 2016 holds only about 5\d % of what was to be expected"):
        nights.run()
    assert nights.state() == "held"
    assert scalar(nights.settings, "select max(build_id) from quality.build where state = 'published'") == published
    assert {row["kind"] for row in kept_changes(nights.settings)} == {"recording", "data_fault"}
    (held,) = nights.alerts()
    assert (held.severity, held.audience) == ("held", "engineers")
    assert "the build is published by itself once the fault is gone" in held.body
    # nobody did anything about it: the next night is held as well
    with pytest.raises(AuditHeldError):
        nights.run()

    deliver_crime(nights.settings, 37, new_name_from=24)
    nights.run()
    assert nights.state() == "published"
    assert {row["kind"]: row["state"] for row in kept_changes(nights.settings)} == {
        "data_fault": "gone",
        "recording": "suspected",
    }
    (asked,) = nights.alerts()
    assert asked.audience == "community_safety_team"


@pytest.mark.parametrize(("decision", "state"), [("rejected", "published"), ("confirmed", "held")])
def test_what_people_decide_on_a_fault_wins(nights: Nights, decision: str, state: str) -> None:
    deliver_crime(nights.settings, 36, new_name_from=None, newest=0.55)
    with pytest.raises(AuditHeldError):
        nights.run()
    nights.decide(decision)
    if state == "published":
        assert nights.run().state == "passed"
    else:
        with pytest.raises(AuditHeldError):
            nights.run()
    assert nights.state() == state
    # what was decided of one month says nothing of the next, and what was mended is over whoever confirmed it
    deliver_crime(nights.settings, 37, new_name_from=None, newest=0.5)
    with pytest.raises(AuditHeldError, match="January 2016 holds only about"):
        nights.run()
    deliver_crime(nights.settings, 38, new_name_from=None)
    assert nights.run().state == "passed"
    states = [row["state"] for row in kept_changes(nights.settings)]
    assert states == (["rejected", "gone"] if decision == "rejected" else ["gone", "gone"])


def test_only_what_has_something_new_is_looked_at(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[set[str], int | None]] = []

    def noted(connection: Any, settings: Settings, *, only: set[str], months: int | None) -> Any:
        looks.append((only, months))
        return read_feeds(connection, settings, only=only, months=months)

    monkeypatch.setattr("saferkc.recording.watch.read_feeds", noted)
    deliver_crime(nights.settings, 36)
    nights.run()
    first, later = ({FEED}, None), ({FEED}, MONTHS_TO_READ)
    assert looks == [first]
    watch(nights.settings, nights.build_id)
    assert looks == [first], "it was looked at for this build"
    deliver_crime(nights.settings, 37)
    nights.run()
    assert looks == [first, later]
    # the register is a part of the project: when that changes, everything is looked at anew
    with connect(nights.settings) as connection:
        connection.execute("update quality.build set project_fingerprint = 'another'")
        connection.execute("update quality.build set state = 'held'")
    nights.run()
    assert looks == [first, later, first]


def test_a_look_that_breaks_is_missed_by_the_audit_and_told_to_the_engineers(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "A person's name"  # noqa: S105

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(secret)

    deliver_crime(nights.settings, NEW_NAME_FROM + 1)
    with monkeypatch.context() as patched:
        patched.setattr("saferkc.recording.watch.read_feeds", broken)
        with pytest.raises(WatchError, match=rf"{FEED} could not be looked at \(ValueError\)") as raised:
            watch(nights.settings, nights.begin())
        assert secret not in str(raised.value)
    result = nights.end()
    assert result.state == "passed"
    (warning,) = [text for text in result.warnings if FEED in text]
    assert "could not be made" in warning
    (alert,) = nights.alerts()
    assert (alert.audience, alert.title) == ("engineers", "Changes in counting could not be looked for")
    assert secret not in alert.body

    # the next night makes up for it
    deliver_crime(nights.settings, NEW_NAME_FROM + 2)
    nights.run()
    assert [row["effective_month"] for row in kept_changes(nights.settings)] == [NEW_NAME_MONTH]
    assert [alert.audience for alert in nights.alerts()] == ["community_safety_team"]


def test_a_fault_silences_what_is_counted_of_the_same_feed_by_ward(nights: Nights) -> None:
    change = {
        "series": "A ward", "parent_series": "All offences", "feed": f"{FEED} by ward of E09000020", "geography": "all",
        "effective_month": NEW_NAME_MONTH, "kind": "recording", "nature": "geography", "confidence": 0.9,
        "evidence": {"sentences": ["A boundary moved."]}, "state": "suspected", "register_id": None,
        "treatment": "break",
    }  # fmt: skip
    fault = change | {"feed": FEED, "kind": "data_fault", "nature": "coverage", "treatment": "hold"}
    with connect(nights.settings) as connection:
        add_change(connection, change)
        add_change(connection, fault)
        tell_people(connection, {FEED: "Recorded crime"})
    assert nights.alerts() == []
    with connect(nights.settings) as connection:
        set_gone(connection, [2])
        tell_people(connection, {FEED: "Recorded crime"})
    (alert,) = nights.alerts()
    assert "What changed (Recorded crime): A boundary moved." in alert.body
    with connect(nights.settings) as connection:
        set_gone(connection, [1])
        tell_people(connection, {FEED: "Recorded crime"})
    assert nights.alerts() == []
