"""The audit: what holds a build, what it says to whom, and that no value leaves a check."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
import yaml
from publishing_helpers import deliver, scalar, start_build, write_manifest
from saferkc.alerts import list_alerts
from saferkc.alerts.sending import send_messages
from saferkc.publishing import (
    AuditHeldError,
    BuildFailedError,
    NotPublishableError,
    audit,
    begin_build,
    build_data_docs,
    publish,
)
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

SECRET = "A person's name"  # noqa: S105
SUITE = {
    "schema": "aud_core",
    "description": "A mart of this test.",
    "tables": [
        {
            "table": "dim_ward",
            "checks": [
                {
                    "name": "names are wards",
                    "severity": "error",
                    "owner": "engineers",
                    "column": "ward_name",
                    "expectation": "expect_column_values_to_be_in_set",
                    "arguments": {"value_set": ["Abingdon", "Brompton"]},
                    "meaning": "A ward is called by a name that nobody knows.",
                    "next_step": "Mend the seed.",
                },
                {
                    "name": "rows are of this build",
                    "severity": "error",
                    "owner": "engineers",
                    "finds_nothing": "select 1 from {batch} where build_id <> {build_id}",
                    "meaning": "Rows are of another build.",
                    "next_step": "Build again.",
                },
                {
                    "name": "there are two",
                    "severity": "warning",
                    "owner": "community_safety_team",
                    "finds_nothing": "select 1 from {batch} having count(*) <> 2",
                    "meaning": "There are not two wards.",
                    "next_step": "Count them.",
                },
            ],
        }
    ],
}


class Night:
    """One build of a tiny warehouse, from dbt's results to the marts."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.suites = folder / "suites"
        self.suites.mkdir()
        (self.suites / "aud_core.yaml").write_text(yaml.safe_dump(SUITE))
        self.manifest = write_manifest(folder / "manifest.json", {"aud_core.dim_ward": {"primary_key": ["ward_name"]}})
        self.build_id = 0

    def build(self, *names: str) -> None:
        with connect(self.settings) as connection:
            self.build_id = start_build(connection, audited=False)
            connection.execute("truncate build_aud_core.dim_ward")
            for name in names:
                connection.execute("insert into build_aud_core.dim_ward values (%s, %s)", (name, self.build_id))

    def results(self, **statuses: str) -> Path:
        nodes = {"model.saferkc.dim_ward": "success"} | {
            key.replace("__", "."): status for key, status in statuses.items()
        }
        path = self.folder / "run_results.json"
        entries = [
            {"unique_id": name, "status": status, "failures": 3 if status in ("fail", "warn") else 0, "message": SECRET}
            for name, status in nodes.items()
        ]
        path.write_text(json.dumps({"results": entries}))
        return path

    def audit(self, results: Path | None = None):  # type: ignore[no-untyped-def]
        return audit(
            self.settings,
            self.build_id,
            results or self.results(),
            manifest=self.manifest,
            suites_dir=self.suites,
        )

    @property
    def state(self) -> object:
        return scalar(self.settings, f"select state from quality.build where build_id = {self.build_id}")

    @property
    def mails(self) -> list[Path]:
        return sorted(self.settings.outbox.glob("*.eml"))


@pytest.fixture
def night(settings: Settings, tmp_path: Path) -> Iterator[Night]:
    with connect(settings) as connection:
        connection.execute("drop schema if exists build_aud_core cascade")
        connection.execute("drop schema if exists aud_core cascade")
        connection.execute("truncate raw.police_open_street")
        connection.execute("create schema build_aud_core")
        connection.execute("create table build_aud_core.dim_ward (ward_name text, build_id bigint)")
    yield Night(settings, tmp_path)


def everything_written(settings: Settings) -> str:
    """All that the audit leaves behind for people: ledgers, mails, pages and their results."""
    texts = [path.read_text(errors="replace") for path in settings.home.rglob("*") if path.is_file()]
    with connect(settings) as connection:
        for table in ("build", "check_result", "alert"):
            texts += [str(row) for row in connection.execute(f"table quality.{table}".encode())]
    return "\n".join(texts)


def test_a_good_build_passes_and_is_published(night: Night) -> None:
    night.build("Abingdon", "Brompton")
    result = night.audit(night.results(test__saferkc__unique_ward__1="pass"))
    assert (result.state, result.reasons, result.warnings) == ("passed", [], [])
    assert result.checks == 6  # three of the suite, one of dbt, two of the accounts
    publish(night.settings, night.build_id, manifest=night.manifest)
    assert night.state == "published"
    assert night.mails == []


def test_a_failed_check_holds_the_build_and_tells_people_what_to_do(night: Night) -> None:
    night.build("Abingdon", "Brompton")
    night.audit()
    publish(night.settings, night.build_id, manifest=night.manifest)

    night.build("Abingdon", SECRET)
    with pytest.raises(AuditHeldError, match="a name that nobody knows"):
        night.audit()
    assert night.state == "held"
    reason = scalar(night.settings, f"select reason from quality.build where build_id = {night.build_id}")
    assert reason == "aud_core.dim_ward: A ward is called by a name that nobody knows. (1 found)"
    with pytest.raises(NotPublishableError, match="was held"):
        publish(night.settings, night.build_id, manifest=night.manifest)
    assert scalar(night.settings, "select array_agg(ward_name order by ward_name) from aud_core.dim_ward") == [
        "Abingdon",
        "Brompton",
    ]

    with connect(night.settings) as connection:
        (alert,) = list_alerts(connection)
    assert (alert.severity, alert.audience, alert.state) == ("held", "engineers", "open")
    assert "Mend the seed." in alert.body

    assert night.mails == [], "queued with the alert, and sent later"
    send_messages(night.settings)
    (path,) = night.mails
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] and message["Date"] and message["Message-ID"]
    plain, rich = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and rich is not None
    for text in (plain.get_content(), rich.get_content()):
        for part in ("a name that nobody knows", "Mend the seed.", "The last good build (1, of", "data_docs"):
            assert part in text
    build_data_docs(night.settings, night.build_id)
    assert SECRET not in everything_written(night.settings).replace("A person&#39;s name", SECRET)


def test_the_alert_closes_when_a_later_build_is_published(night: Night) -> None:
    for _ in range(2):
        night.build("Abingdon", "Unknown")
        with pytest.raises(AuditHeldError):
            night.audit()
    assert scalar(night.settings, "select times_seen from quality.alert where state = 'open'") == 2
    night.build("Abingdon", "Brompton")
    night.audit()
    publish(night.settings, night.build_id, manifest=night.manifest)
    assert scalar(night.settings, "select state from quality.alert") == "resolved"


def test_a_warning_does_not_hold_the_build(night: Night) -> None:
    night.build("Abingdon")
    result = night.audit(night.results(test__saferkc__loose__1="warn"))
    assert result.state == "passed"
    assert len(result.warnings) == 2
    warned = "select count(*) from quality.check_result where severity = 'warning' and not success"
    assert scalar(night.settings, warned) == 2


def test_a_failed_dbt_test_holds_the_build(night: Night) -> None:
    night.build("Abingdon", "Brompton")
    with pytest.raises(AuditHeldError, match=r"test unique_ward failed\. \(3 found\)"):
        night.audit(night.results(test__saferkc__unique_ward__1="fail"))


def test_a_model_kept_back_by_a_failed_test_is_not_blamed_itself(night: Night) -> None:
    night.build("Stale name")
    statuses = {"model__saferkc__dim_ward": "skipped", "test__saferkc__unique_lsoa__1": "fail"}
    with pytest.raises(AuditHeldError) as held:
        night.audit(night.results(**statuses))
    assert "nobody knows" not in str(held.value)


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        ({"model__saferkc__dim_ward": "error"}, "could not build dim_ward"),
        ({"model__saferkc__dim_ward": "skipped"}, "skipped dim_ward"),
    ],
)
def test_a_model_that_dbt_could_not_build_fails_the_build(night: Night, statuses: dict[str, str], why: str) -> None:
    night.build("Abingdon")
    with pytest.raises(BuildFailedError, match=why):
        night.audit(night.results(**statuses))
    assert night.state == "failed"
    assert scalar(night.settings, "select severity from quality.alert") == "act"


def test_a_dbt_that_left_no_results_fails_the_build(night: Night) -> None:
    night.build("Abingdon")
    with pytest.raises(BuildFailedError, match="did not come to its end"):
        audit(night.settings, night.build_id, None, manifest=night.manifest, suites_dir=night.suites)
    assert night.state == "failed"


def test_a_check_that_can_not_be_run_holds_the_build(night: Night) -> None:
    night.build("Abingdon", "Brompton")
    with connect(night.settings) as connection:
        connection.execute("alter table build_aud_core.dim_ward drop column ward_name")
    with pytest.raises(AuditHeldError, match="'names are wards' could not be run"):
        night.audit()


def test_rows_that_raw_lost_hold_the_build(night: Night) -> None:
    with connect(night.settings) as connection:
        deliver(connection, rows=2)
    with connect(night.settings) as connection:
        connection.execute("delete from quality.build")
    start = begin_build(night.settings)
    assert start.build_id is not None
    night.build("Abingdon", "Brompton")
    with connect(night.settings) as connection:
        connection.execute(
            "insert into quality.build_delivery select %s, delivery_id from quality.delivery", (night.build_id,)
        )
    with pytest.raises(AuditHeldError, match="Raw does not hold as many rows"):
        night.audit()


def test_a_delivery_that_failed_its_checks_holds_the_build_while_it_is_current(night: Night) -> None:
    with connect(night.settings) as connection:
        delivery_id = deliver(connection)
        connection.execute(
            "insert into quality.delivery_coverage values (%s, 'police_open_street', 's', '2017-04-01', true)",
            (delivery_id,),
        )
        connection.execute(
            "insert into quality.check_result (delivery_id, feed, suite, check_name, table_name, severity, success,"
            " meaning, next_step) values (%s, 'police_open_street', 's', 'c', 't', 'error', false,"
            " 'Records stand twice.', 'Mend it.')",
            (delivery_id,),
        )

    def judge() -> None:
        night.build("Abingdon", "Brompton")
        with connect(night.settings) as connection:
            connection.execute("insert into quality.build_delivery values (%s, %s)", (night.build_id, delivery_id))
        night.audit()

    with pytest.raises(AuditHeldError, match=r"police_open_street, simulated\.csv: Records stand twice"):
        judge()
    with connect(night.settings) as connection:
        connection.execute("update quality.delivery_coverage set is_current = false")
    judge()


def test_the_pages_open_without_the_internet_and_old_ones_go(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saferkc.publishing.documents.KEEP_BUILDS", 2)
    for _ in range(3):
        night.build("Abingdon")
        night.audit()
        index = build_data_docs(night.settings, night.build_id)
    docs = night.settings.data_docs
    assert sorted(path.name for path in docs.glob("build-*")) == ["build-2", "build-3"]
    pages = list(docs.rglob("*.html"))
    assert len(pages) >= 6
    for page in pages:
        text = page.read_text()
        assert "src=" not in text and "<link" not in text and "http" not in text.replace("http-equiv", "")
    assert f"build-{night.build_id}/index.html" in index.read_text()
    suite_page = (docs / "build-3" / "aud_core-marts--dim_ward.html").read_text()
    assert "there are two" in suite_page
