"""What the commands tell about nights, builds, deliveries and alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from saferkc.cli.console import out, say, table
from saferkc.orchestration.environment import USER, accounts, airflow_url
from saferkc.orchestration.night import Night, Outcome
from saferkc.pages import PREFIX
from saferkc.recording.ledger import count_changes
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

_DELIVERIES = """
    select
        count(*) as deliveries,
        count(*) filter (where state = 'refused') as refused,
        count(*) filter (where state = 'duplicate') as duplicates,
        coalesce(sum(rows_in), 0)::bigint as rows_in,
        coalesce(sum(rows_admitted), 0)::bigint as rows_admitted,
        coalesce(sum(rows_unchanged), 0)::bigint as rows_unchanged,
        coalesce(sum(rows_quarantined), 0)::bigint as rows_quarantined
    from quality.delivery
    where %(since)s::timestamptz is null or finished_at >= %(since)s
"""
_ALERTS = """
    select alert_id, severity, title, times_seen, last_seen_at from quality.alert
    where state in ('open', 'acknowledged') order by last_seen_at desc
"""


def night(settings: Settings, done: Night, since: datetime) -> int:
    """Print the short table of a night and what to do next; return the exit status."""
    with connect(settings) as connection:
        counts = [_counts(connection, since), _counts(connection, None)]
        build = _build(connection, done.build_id)
        changes = [count_changes(connection, moment) for moment in (since, None)]
        raised = _count(connection, "alert", "first_seen_at", since)
        opened = len(fetch_all(connection, _ALERTS))
    labels = {
        "deliveries": "deliveries",
        "refused": "  of them refused",
        "duplicates": "  of them known already",
        "rows_in": "rows in",
        "rows_admitted": "  admitted",
        "rows_unchanged": "  unchanged",
        "rows_quarantined": "  quarantined",
    }
    built = build if done.is_new_build else dict.fromkeys(build, 0)
    rows: list[list[Any]] = [[label, *(count[key] for count in counts)] for key, label in labels.items()]
    rows += [
        ["models built", built["models_built"], build["models_built"]],
        ["checks", built["checks_run"], build["checks_run"]],
        ["  of them failed", built["checks_failed"], build["checks_failed"]],
        ["recording changes flagged", *changes],
        ["alerts", raised, opened],
    ]
    table(["", "this run", "in all"], rows)
    for failure in done.failures:
        say(failure)
    say(_verdict(done))
    return int(done.outcome)


def _verdict(done: Night) -> str:
    if done.outcome is Outcome.PUBLISHED:
        if done.is_new_build:
            return f"Build {done.build_id} is published."
        return f"Nothing new: build {done.build_id} stays published."
    if done.outcome is Outcome.HELD:
        return f"Build {done.build_id} is held, the last good marts stay: {done.reason} What to do: `saferkc alerts`."
    return f"The night failed. {done.reason}".strip()


def where_to_look(settings: Settings) -> None:
    """Print where a user goes from here."""
    runtime = settings.runtime()
    rows = [
        ["tonight", f"{airflow_url(settings)}{PREFIX}/  (user {USER}, password {runtime['airflow_password']})"],
        *(["", f"user {name} ({role}), password {password}"] for name, role, password in accounts(settings)[1:]),
        ["runs and logs", airflow_url(settings)],
        ["figures", 'saferkc sql "select * from burglary.burglary_monthly limit 20"'],
        ["state", "saferkc status · saferkc alerts"],
        ["checks", str(settings.data_docs / "index.html")],
        ["stop", "saferkc down"],
    ]
    if not (settings.data_docs / "index.html").exists():
        rows = [row for row in rows if row[0] != "checks"]
    out.print()
    table(["where to look next", ""], rows)


def _counts(connection: Connection, since: datetime | None) -> dict[str, Any]:
    return fetch_all(connection, _DELIVERIES, {"since": since})[0]


def _build(connection: Connection, build_id: int | None) -> dict[str, Any]:
    query = "select models_built, checks_run, checks_failed from quality.build where build_id = %(id)s"
    rows = fetch_all(connection, query, {"id": build_id})
    return rows[0] if rows else {"models_built": 0, "checks_run": 0, "checks_failed": 0}


def _count(connection: Connection, name: str, moment: str, since: datetime | None) -> int:
    query = f"select count(*) from quality.{name} where %(since)s::timestamptz is null or {moment} >= %(since)s"  # noqa: S608
    return int(fetch_all(connection, query, {"since": since})[0]["count"])
