"""Composes a message of the outbox: which alerts it tells of, and in which template's words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markdown_it import MarkdownIt

from saferkc.alerts.ledger import Alert, list_alerts
from saferkc.alerts.mail import PICTURE
from saferkc.alerts.messages.links import all_pages
from saferkc.alerts.messages.pictures import picture_of
from saferkc.alerts.messages.told import Told, told
from saferkc.contracts import load_contracts
from saferkc.disclosure import read_rules
from saferkc.recording.ledger import list_changes
from saferkc.recording.standing import evidence_of, source_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

TEMPLATES = Path(__file__).parent / "templates"
# For whom the rules of disclosure take the readers of a message. Engineers may see more, and not in their mail: a
# message is forwarded, and stays where the warehouse has no say.
_READERS = {
    "agency_contact": "partnership",
    "community_safety_team": "community_safety_team",
    "engineers": "partnership",
}
_CLOSING = ("confirmed", "rejected", "resolved")
# what Markdown reads in a text that is none: names of agencies' classes, titles, notes
_MARKED = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_PICTURE_LINE = "@@picture@@"


class _Ready(str):
    """Text that is Markdown, or HTML, already."""

    __slots__ = ()


def compose(
    connection: Connection, settings: Settings, row: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, bytes | None]:
    """Return what a message of the outbox says (subject, text, HTML, and to whom where not to its audience) and its
    picture; None where there is nothing left to tell, and its events wait for the next summary.
    """
    context = _context(connection, settings, row)
    if context is None:
        connection.execute(
            "update quality.alert_event set message_id = null where message_id = %s", (row["message_id"],)
        )
        return None, None
    picture = picture_of(connection, settings, context.pop("changes"), audience=_READERS[row["audience"]])
    subject, text, as_html = render(f"{row['audience']}.{row['kind']}.md", context, has_picture=picture is not None)
    return {"subject": subject, "text": text, "html": as_html, "to": context.get("to")}, picture


def render(template: str, context: Mapping[str, Any], *, has_picture: bool) -> tuple[str, str, str]:
    """Return subject, text and HTML of a template; its first line is the subject."""
    shown = {**context, "picture": _Ready(f"\n\n{_PICTURE_LINE}\n\n") if has_picture else ""}
    plain = _environment(is_html=False).get_template(template).render(shown)
    subject, _, text = plain.strip().partition("\n")
    text = _spaced(text)
    text = re.sub(
        r"\n{3,}",
        "\n\n",
        text.replace(_PICTURE_LINE, "(The picture in this mail shows the figures by month; its heading says which.)"),
    ).strip()
    marked = _environment(is_html=True).get_template(template).render(shown)
    content = MarkdownIt("commonmark", {"html": False}).render(_spaced(marked.strip().partition("\n")[2]))
    image = f'<img src="cid:{PICTURE}" alt="The figures by month, with the change marked" style="max-width: 100%">'
    content = content.replace(f"<p>{_PICTURE_LINE}</p>", f"<p>{image}</p>")
    subject = " ".join(subject.removeprefix("Subject:").split())
    layout = _environment(is_html=True).get_template("layout.html")
    whole = layout.render(subject=_Ready(html.escape(subject)), content=_Ready(content))
    return subject, text + "\n", whole


@cache
def _environment(*, is_html: bool) -> jinja2.Environment:
    def escaped(value: object) -> object:
        return value if isinstance(value, _Ready) or not is_html else _MARKED.sub(r"\\\1", str(value))

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=escaped,
        autoescape=False,  # noqa: S701 - Markdown and not HTML: what is put in is escaped for that by finalize
    )
    environment.filters["day"] = _day
    # bodies are written as paragraphs and lists; all else in them is no Markdown
    environment.filters["asmarkdown"] = lambda text: _Ready(
        # a list's lines begin with a hyphen, which is not escaped
        _MARKED.sub(r"\\\1", text) if is_html else text
    )
    environment.globals["link"] = lambda words, url: _Ready(
        f"[{escaped(words)}]({url})" if is_html else f"{words}: {url}"
    )
    return environment


def _spaced(text: str) -> str:
    """A text with a blank line before and after each list, whatever blocks of a template left there."""
    lines: list[str] = []
    for line in text.splitlines():
        before = lines[-1] if lines else ""
        is_item, was_item = line.startswith(("- ", "  ")), before.startswith(("- ", "  "))
        if line.strip() and before.strip() and is_item != was_item:
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def _context(connection: Connection, settings: Settings, row: Mapping[str, Any]) -> dict[str, Any] | None:
    events = fetch_all(
        connection,
        "select * from quality.alert_event where message_id = %s order by event_id",
        (row["message_id"],),
    )
    alerts = {alert.alert_id: alert for alert in list_alerts(connection, include_closed=True)}
    changes = {change["change_id"]: change for change in list_changes(connection, include_all=True)}
    names = {feed: contract.name for feed, contract in load_contracts(settings.contracts_dir).items()}
    rules = read_rules(settings.disclosure_file)
    last = {event["alert_id"]: event for event in events}
    now: datetime = row["queued_at"]

    def as_told(alert: Alert) -> Told:
        change = changes.get(alert.change_id) if alert.change_id is not None else None
        name = names.get(source_of(change["feed"])) if change else None
        evidence = evidence_of(change, rules, _READERS[row["audience"]]) if change else ()
        return told(alert, change, now=now, evidence=evidence, source=name, event=last.get(alert.alert_id))

    told_of = [as_told(alerts[number]) for number in sorted(last)]
    opened = [one for one in told_of if one.is_open]
    over = [one for one in told_of if last[one.alert_id]["event"] in _CLOSING]
    kind = row["kind"]
    shown: list[Told] = {
        "at_once": opened,
        "question": opened,
        "closing": [one for one in over if _was_told(connection, one.alert_id)],
    }.get(kind, [])
    waiting: list[Told] = []
    if kind in ("summary", "digest"):
        waiting = [
            as_told(alert)
            for alert in list_alerts(connection, audiences=[row["audience"]])
            if alert.alert_id not in last and (alert.snoozed_until is None or alert.snoozed_until <= now)
        ]
        shown = [*opened, *over, *waiting]
    if not shown:
        return None
    first_changes = [
        changes[number]
        for one in (shown if kind == "question" else opened)
        if (number := alerts[one.alert_id].change_id) is not None
    ]
    return {
        "alerts": shown,
        "new": _by_severity(opened),
        "over": over,
        "waiting": _by_severity(waiting),
        "day": now.date(),
        "pages": all_pages(),
        "may_reply": bool(settings.messages.mail_to.get("community_safety_team")),
        "checks": (settings.data_docs / "index.html").as_uri(),
        "changes": first_changes,
        "to": _agency(settings, first_changes) if kind == "question" else None,
    }


def _by_severity(found: Iterable[Told]) -> list[Told]:
    return sorted(found, key=lambda one: (("held", "act", "note").index(one.severity), one.alert_id))


def _was_told(connection: Connection, alert_id: int) -> bool:
    row = connection.execute(
        "select true from quality.alert_event where alert_id = %s and event = 'sent' limit 1", (alert_id,)
    ).fetchone()
    return row is not None


def _agency(settings: Settings, changes: Iterable[Mapping[str, Any]]) -> str | None:
    """To whom a question goes: the agency's contact by the source of its feed; the team where none is set."""
    contracts = load_contracts(settings.contracts_dir)
    for change in changes:
        contract = contracts.get(source_of(change["feed"]))
        if contract is not None:
            audience = f"agency_{contract.delivery.source}"
            is_set = bool(settings.messages.mail_to.get(audience)) or not settings.messages.mail_to
            return audience if is_set else "community_safety_team"
    return "community_safety_team"
