"""``saferkc status``: how tonight stands, what runs, the last builds, the deliveries and the open alerts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from saferkc.cli.console import out, say, table
from saferkc.contracts.calendar import LONDON
from saferkc.monitoring import Build, Deadline, FeedTonight, deadline_tonight, feeds_tonight, last_builds
from saferkc.monitoring.tonight import as_plain
from saferkc.orchestration import airflow
from saferkc.orchestration.client import AirflowClient, AirflowUnreachableError
from saferkc.orchestration.lifecycle import database_up
from saferkc.settings import Settings
from saferkc.warehouse import embedded
from saferkc.warehouse.connection import connect, fetch_all

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
_ALERTS = """
    select alert_id, severity, title, times_seen, last_seen_at from quality.alert
    where state in ('open', 'acknowledged') order by last_seen_at desc
"""
_BARS = "▁▂▃▄▅▆▇█"
_NIGHTS_DRAWN = 14
# a few seconds more or less are nobody's concern
_LEAST_SECONDS = 5.0


def status(settings: Settings, *, as_json: bool) -> None:
    """Print the services, tonight by feed, what runs, the last builds, the deliveries and the open alerts."""
    services = {
        "postgres": "running" if embedded.is_running(settings) else "stopped",
        "airflow": "running" if airflow.is_running(settings) else "stopped",
    }
    running = _running(settings) if services["airflow"] == "running" else []
    with database_up(settings), connect(settings) as connection:
        connection.read_only = True
        feeds, deadline = feeds_tonight(settings, connection), deadline_tonight(settings, connection)
        builds = last_builds(connection)
        deliveries, alerts = fetch_all(connection, _BY_FEED), fetch_all(connection, _ALERTS)
    if as_json:
        content = {
            "services": services,
            "deadline": as_plain(deadline),
            "tonight": as_plain(feeds),
            "running": running,
            "builds": as_plain(builds),
            "deliveries": deliveries,
            "alerts": alerts,
        }
        print(json.dumps(content, default=str, indent=1))
        return
    say(f"PostgreSQL {services['postgres']} · Airflow {services['airflow']} · home {settings.home}")
    say(_deadline_line(deadline) + "\n")
    _show_tonight(feeds)
    if running:
        out.print()
        table(["", ""], [[run["dag"], ", ".join(run["tasks"]) or run["state"]] for run in running], title="Runs now")
    out.print()
    _show_builds(builds)
    out.print()
    _show_deliveries(deliveries)
    out.print()
    if alerts:
        table(
            ["alert", "severity", "what"],
            [[a["alert_id"], a["severity"], a["title"]] for a in alerts],
            title="Open alerts",
        )
    else:
        say("No open alerts.")


def _running(settings: Settings) -> list[dict[str, Any]]:
    """The runs under way and their tasks at work; nothing where Airflow is too busy to say."""
    client = AirflowClient(settings)
    try:
        return [
            {
                "dag": run.dag_id,
                "state": run.state,
                "tasks": [task.task_id for task in client.tasks(run.dag_id, run.run_id) if task.state == "running"],
            }
            for run in client.runs(states=("queued", "running"))
        ]
    except AirflowUnreachableError:
        return []


def _deadline_line(deadline: Deadline) -> str:
    state = {"ahead": "to come", "met": "met", "missed": "MISSED"}[deadline.state]
    published = "" if deadline.published_at is None else f" Published last: {_clock(deadline.published_at)}."
    return f"Marts by {_clock(deadline.due_at)}: {state}; {deadline.why}.{published}"


def _show_tonight(feeds: Sequence[FeedTonight]) -> None:
    begun = [feed for feed in feeds if feed.state != "never_came"]
    if begun:
        table(
            [
                "feed",
                "tonight",
                "due",
                "last came",
                "late",
                "in",
                "admitted",
                "unchanged",
                "quarantined",
                "refused",
                "in lately",
            ],
            [_feed_row(feed) for feed in begun],
            title="Tonight",
        )
    silent = [feed.feed for feed in feeds if feed.state == "never_came"]
    if silent:
        say(f"Nothing has ever come for: {', '.join(silent)}")


def _feed_row(feed: FeedTonight) -> list[object]:
    due = feed.due_at if feed.state == "late" else feed.next_due_at
    tonight = feed.tonight
    counts = (
        (tonight.rows_in, tonight.rows_admitted, tonight.rows_unchanged, tonight.rows_quarantined, tonight.rows_refused)
        if tonight
        else (None,) * 5
    )
    return [
        feed.feed,
        feed.state.replace("_", " "),
        "" if due is None else _clock(due),
        "" if feed.last_arrived_at is None else _clock(feed.last_arrived_at),
        _lateness(feed),
        *counts,
        sparkline([one.rows_in for one in (*feed.history, *((tonight,) if tonight else ()))][-_NIGHTS_DRAWN:]),
    ]


def _lateness(feed: FeedTonight) -> str:
    if feed.state not in ("late", "arrived", "refused") or feed.minutes_late is None:
        return ""
    own = feed.minutes_later_than_usual
    said = _span(feed.minutes_late) if feed.minutes_late > 0 else "in time"
    if own is None or abs(own) < 1:
        return said
    return f"{said} ({_span(abs(own))} {'later' if own > 0 else 'earlier'} than usual)"


def _show_builds(builds: Sequence[Build]) -> None:
    table(
        ["build", "state", "began", "took", "models", "checks", "failed", "rows changed", "its tasks", "reason"],
        [
            [
                build.build_id,
                build.state,
                f"{build.started_at.astimezone(LONDON):%Y-%m-%d %H:%M}",
                "" if build.seconds is None else _against(build.seconds, build.usual_seconds),
                build.models_built,
                build.checks_run,
                build.checks_failed,
                build.rows_changed,
                ", ".join(
                    f"{run.task} {_against(run.seconds, run.usual_seconds)}{'' if run.succeeded else ' FAILED'}"
                    for run in build.tasks
                ),
                build.reason,
            ]
            for build in builds
        ],
        title="Last builds",
    )


def _show_deliveries(deliveries: Sequence[dict[str, Any]]) -> None:
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
        title="Deliveries in all (rows in = admitted + unchanged + quarantined)",
    )


def sparkline(counts: Sequence[float]) -> str:
    """Draw counts as bars of one line, the greatest the highest; nought is the lowest."""
    greatest = max(counts, default=0)
    return "".join(_BARS[round(count / greatest * (len(_BARS) - 1)) if greatest else 0] for count in counts)


def _against(seconds: float, usual: float | None) -> str:
    """A time, and how it stands to the usual where it is not as usual."""
    said = f"{seconds:.0f} s"
    if usual is None or seconds - usual < _LEAST_SECONDS or seconds < 1.5 * usual:
        return said
    return f"{said} (usually {usual:.0f} s)"


def _span(minutes: float) -> str:
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"


def _clock(moment: datetime) -> str:
    local = moment.astimezone(LONDON)
    # half a year off, a weekday says nothing
    near = abs((datetime.now(LONDON) - local).days) < 6
    return f"{local:%a %H:%M}" if near else f"{local:%d %b %Y}"
