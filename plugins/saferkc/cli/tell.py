"""What the commands tell about nights, builds, deliveries and alerts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from saferkc.cli.console import out, say, table
from saferkc.orchestration import airflow
from saferkc.orchestration.environment import USER, accounts, airflow_url
from saferkc.orchestration.lifecycle import database_up
from saferkc.orchestration.night import Night, Outcome
from saferkc.pages import PREFIX
from saferkc.recording.ledger import count_changes
from saferkc.settings import Settings
from saferkc.warehouse import embedded
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
_BY_FEED = """
    select feed, count(*) as deliveries,
        count(*) filter (where state = 'refused') as refused,
        count(*) filter (where state = 'duplicate') as duplicates,
        sum(rows_in)::bigint as rows_in, sum(rows_admitted)::bigint as rows_admitted,
        sum(rows_unchanged)::bigint as rows_unchanged, sum(rows_quarantined)::bigint as rows_quarantined,
        sum(rows_in) = sum(rows_admitted) + sum(rows_unchanged) + sum(rows_quarantined) as adds_up,
        bool_or(is_simulated) as is_simulated, max(finished_at) as last
    from quality.delivery group by feed order by feed
"""
_BUILDS = """
    select build_id, state, started_at, finished_at, models_built, checks_run, checks_failed, rows_changed, reason
    from quality.build order by build_id desc limit 5
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


def status(settings: Settings, *, as_json: bool) -> None:
    """Print the services, the last builds, the deliveries by feed and the open alerts."""
    services = {
        "postgres": "running" if embedded.is_running(settings) else "stopped",
        "airflow": "running" if airflow.is_running(settings) else "stopped",
    }
    with database_up(settings), connect(settings) as connection:
        builds = fetch_all(connection, _BUILDS)
        deliveries = fetch_all(connection, _BY_FEED)
        alerts = fetch_all(connection, _ALERTS)
    if as_json:
        content = {"services": services, "builds": builds, "deliveries": deliveries, "alerts": alerts}
        print(json.dumps(content, default=str, indent=1))
        return
    say(f"PostgreSQL {services['postgres']} · Airflow {services['airflow']} · home {settings.home}\n")
    figures = ("models_built", "checks_run", "checks_failed", "rows_changed", "reason")
    table(
        ["build", "state", "began", "seconds", "models", "checks", "failed", "rows changed", "reason"],
        [
            [b["build_id"], b["state"], f"{b['started_at']:%Y-%m-%d %H:%M}", _seconds(b), *(b[key] for key in figures)]
            for b in builds
        ],
        title="Last builds",
    )
    out.print()
    keys = ("deliveries", "refused", "duplicates", "rows_in", "rows_admitted", "rows_unchanged", "rows_quarantined")
    table(
        ["feed", *(key.removeprefix("rows_") for key in keys), "adds up", "last", ""],
        [
            [
                d["feed"],
                *(d[key] for key in keys),
                "yes" if d["adds_up"] else "NO",
                f"{d['last']:%Y-%m-%d %H:%M}",
                "simulated" if d["is_simulated"] else "",
            ]
            for d in deliveries
        ],
        title="Deliveries (rows in = admitted + unchanged + quarantined)",
    )
    out.print()
    if alerts:
        table(
            ["alert", "severity", "what"],
            [[a["alert_id"], a["severity"], a["title"]] for a in alerts],
            title="Open alerts",
        )
    else:
        say("No open alerts.")


def _seconds(build: dict[str, Any]) -> int | None:
    if build["finished_at"] is None:
        return None
    return int((build["finished_at"] - build["started_at"]).total_seconds())


def _counts(connection: Connection, since: datetime | None) -> dict[str, Any]:
    return fetch_all(connection, _DELIVERIES, {"since": since})[0]


def _build(connection: Connection, build_id: int | None) -> dict[str, Any]:
    query = "select models_built, checks_run, checks_failed from quality.build where build_id = %(id)s"
    rows = fetch_all(connection, query, {"id": build_id})
    return rows[0] if rows else {"models_built": 0, "checks_run": 0, "checks_failed": 0}


def _count(connection: Connection, name: str, moment: str, since: datetime | None) -> int:
    query = f"select count(*) from quality.{name} where %(since)s::timestamptz is null or {moment} >= %(since)s"  # noqa: S608
    return int(fetch_all(connection, query, {"since": since})[0]["count"])
