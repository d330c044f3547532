"""``saferkc alerts`` and ``saferkc changes``: reading the ledgers and deciding."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

from saferkc.alerts import acknowledge_alert, list_alerts, resolve_alert
from saferkc.cli.console import complain, say, table
from saferkc.cli.told import print_changes
from saferkc.contracts import load_contracts
from saferkc.orchestration.lifecycle import database_up
from saferkc.recording.decisions import Amendment, AmendmentError, Weight, amend, decide, list_decisions
from saferkc.recording.findings import Nature, Treatment
from saferkc.recording.labels import read_counted
from saferkc.recording.ledger import list_changes
from saferkc.recording.proposal import propose, write_proposal
from saferkc.recording.reading.boroughs import borough_names
from saferkc.recording.register import read_register
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


def send_alerts(settings: Settings) -> None:
    """Send the messages that wait, and print what became of them."""
    from saferkc.alerts.sending import send_messages

    with database_up(settings):
        done = send_messages(settings)
    say(f"Messages: {done.sent} sent, {done.refused} refused, {done.waiting} still waiting.")


def preview_alerts(settings: Settings, folder: Path) -> None:
    """Write a page for each message that would be sent by Monday morning, and print their names."""
    from saferkc.alerts.mail import as_page
    from saferkc.alerts.sending import preview_messages

    with database_up(settings):
        messages = preview_messages(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for number, (audience, message) in enumerate(messages, 1):
        page = folder / f"{number}-{audience}.html"
        page.write_text(as_page(message))
        say(f"{page}: {message.subject}")
    if not messages:
        say("Nothing waits to be told.")


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
    print_changes(settings, found)


def decide_change(settings: Settings, change_id: int, state: Literal["confirmed", "rejected"], note: str) -> None:
    """Confirm or reject a suspected change in the name of who is signed in."""
    with database_up(settings), connect(settings) as connection:
        decide(connection, change_id, state, by=getpass.getuser(), note=note)
    say(f"Recording change {change_id}: {state}.")


def amend_change(
    settings: Settings, change_id: int, *, month: date | None, treatment: str | None, nature: str | None,
    weights: Sequence[str], note: str,
) -> None:  # fmt: skip
    """Correct a change, and so confirm it, in the name of who is signed in. Raises ``AmendmentError``."""
    amendment = Amendment(
        month,
        cast("Nature | None", nature),
        cast("Treatment | None", treatment),
        [_weight(text) for text in weights],
    )
    with database_up(settings), connect(settings) as connection:
        amend(connection, change_id, amendment, by=getpass.getuser(), note=note)
    say(f"Recording change {change_id}: amended, and so confirmed.")


def _weight(text: str) -> Weight:
    """A weight as people type it: FROM=TO:WEIGHT or FROM=TO:WEIGHT:LOW:HIGH."""
    codes, *numbers = text.rsplit(":", text.count(":"))
    from_class, is_one, to_class = codes.partition("=")
    try:
        weight, *bounds = (float(number) for number in numbers)
        low, high = bounds or (weight, weight)
    except ValueError as error:
        raise AmendmentError(f"{text!r} is no weight: write FROM=TO:WEIGHT or FROM=TO:WEIGHT:LOW:HIGH") from error
    if not (is_one and from_class and to_class):
        raise AmendmentError(f"{text!r} says no classes: write FROM=TO:WEIGHT or FROM=TO:WEIGHT:LOW:HIGH")
    return Weight(from_class, to_class, weight, low, high)


def show_decisions(settings: Settings, change_id: int) -> None:
    """Print every decision on a change, the latest first. Raises ``ChangeNotFoundError``."""
    with database_up(settings), connect(settings) as connection:
        found = list_decisions(connection, change_id)
    if not found:
        say(f"Nobody has decided on recording change {change_id}.")
        return
    table(
        ["when", "who", "decision", "before", "after", "note"],
        [
            [f"{row['decided_at']:%Y-%m-%d %H:%M}", row["decided_by"], row["decision"],
             *_differences(row["before"], row["after"]), row["note"]]
            for row in found
        ],
    )  # fmt: skip


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    differ = [name for name in after if before.get(name) != after[name]]
    return tuple(", ".join(f"{n} {said.get(n)}" for n in differ) for said in (before, after))  # type: ignore[return-value]


def export_changes(settings: Settings, out: Path | None) -> int:
    """Write confirmed changes that the register lacks as seeds with their rows; returns the exit status."""
    seeds = settings.dbt_project_dir / "seeds"
    contracts = load_contracts(settings.contracts_dir)
    published = frozenset(name for name, contract in contracts.items() if contract.delivery.extract == "period")
    with database_up(settings), connect(settings) as connection:
        changes, counted = list_changes(connection, include_all=True), read_counted(connection)
    proposal = propose(read_register(seeds), changes, published, borough_names(seeds), counted)
    for path in write_proposal(proposal, seeds, out or settings.home / "outbox" / "register"):
        say(str(path))
    for change_id, broken in proposal.left_out.items():
        complain(f"recording change {change_id} is left out: {'; '.join(broken)}")
    count = len(proposal.rows["recording_changes"])
    say(f"{count} confirmed changes are proposed for the register." if count else "No confirmed change is to be added.")
    return 1 if proposal.left_out else 0
