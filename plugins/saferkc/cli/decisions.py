"""``saferkc alerts`` and ``saferkc changes``: reading the ledgers and deciding."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from typing import Literal

from saferkc.alerts import acknowledge_alert, list_alerts, resolve_alert
from saferkc.cli.console import say, table
from saferkc.orchestration.lifecycle import database_up
from saferkc.recording.ledger import decide, list_changes
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect


def show_alerts(settings: Settings, *, as_json: bool, include_closed: bool) -> None:
    """Print the open alerts, or all of them."""
    with database_up(settings), connect(settings) as connection:
        found = list_alerts(connection, include_closed=include_closed)
    if as_json:
        print(json.dumps([asdict(alert) for alert in found], default=str, indent=1))
        return
    if not found:
        say("No alerts." if include_closed else "No open alerts.")
        return
    table(
        ["id", "severity", "state", "seen", "last seen", "what"],
        [[a.alert_id, a.severity, a.state, a.times_seen, f"{a.last_seen_at:%Y-%m-%d %H:%M}", a.title] for a in found],
    )
    for alert in found:
        say(f"\n{alert.alert_id}. {alert.title}\n{alert.body}" + (f"\nNote: {alert.note}" if alert.note else ""))


def decide_alert(settings: Settings, alert_id: int, decision: str, note: str) -> None:
    """Acknowledge or resolve an alert in the name of who is signed in."""
    decide = {"acknowledge": acknowledge_alert, "resolve": resolve_alert}[decision]
    with database_up(settings), connect(settings) as connection:
        decide(connection, alert_id, by=getpass.getuser(), note=note)
    say(f"Alert {alert_id}: {decision}d.")


def show_changes(settings: Settings, *, as_json: bool, include_all: bool) -> None:
    """Print the changes in counting that are suspected, registered or confirmed, or all that were ever found."""
    with database_up(settings), connect(settings) as connection:
        found = list_changes(connection, include_all=include_all)
    if as_json:
        print(json.dumps(found, default=str, indent=1))
        return
    if not found:
        say("No change in counting was found.")
        return
    table(
        ["id", "from", "what", "where", "kind", "nature", "treatment", "sure", "state"],
        [
            [
                row["change_id"], f"{row['effective_month']:%Y-%m}", row["series"], row["geography"], row["kind"],
                row["nature"] or "", row["treatment"] or "", row["confidence"], row["state"],
            ]
            for row in found
        ],
    )  # fmt: skip
    for row in found:
        say(f"\n{row['change_id']}. {' '.join(row['evidence'].get('sentences', ()))}")


def decide_change(settings: Settings, change_id: int, state: Literal["confirmed", "rejected"], note: str) -> None:
    """Confirm or reject a suspected change in the name of who is signed in."""
    with database_up(settings), connect(settings) as connection:
        decide(connection, change_id, state, by=getpass.getuser(), note=note)
    say(f"Recording change {change_id}: {state}.")
