"""How ``saferkc changes`` reads on the terminal: one message a change, with what may be said of it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from saferkc.cli.console import out
from saferkc.disclosure import read_rules
from saferkc.recording.reading.boroughs import borough_names
from saferkc.recording.register import read_register
from saferkc.recording.standing import evidence_of
from saferkc.recording.telling import safe_of, sureness_of, title_of, unsafe_of
from saferkc.recording.words import month_in_words
from saferkc.settings import Settings

_MANY_AREAS = 4
_OF_COUNTING = ("recording", "unsure")
_ENDED = {"rejected": "rejected, the figures moved for another reason", "gone": "it no longer shows"}
_OTHER_KINDS = {
    "real": "it happened more, or less, often; it is recorded as before",
    "data_fault": "a delivery is probably wrong",
    "unsure": "part of it is counting, part may be real",
}
_INDENT = " " * 5


def print_changes(settings: Settings, changes: Sequence[Mapping[str, Any]]) -> None:
    """Print changes of the ledger, those that somebody should decide on last, where they are seen.

    What the register knows is told in its words, and everything else as it is told in alerts.
    """
    seeds = settings.dbt_project_dir / "seeds"
    register, names, rules = read_register(seeds), borough_names(seeds), read_rules(settings.disclosure_file)
    for change in sorted(changes, key=_is_open):
        number = f"{change['change_id']:>3}  "
        out.print(Text.assemble((number, "dim"), (_headline(change), "bold"), (f"  [{change['state']}]", "dim")))
        said = [f"{month_in_words(change['effective_month'])}, {_where(change, names)}."]
        _labelled("", " ".join([*said, *evidence_of(change, rules, "engineers")]))
        entry = register.change(change["register_id"]) if change["register_id"] else None
        if entry is not None:
            _labelled("", entry["unsafe_to_say"])
            _labelled("Safe to say:", entry["safe_to_say"])
        elif change["kind"] in _OF_COUNTING and change["state"] not in _ENDED:
            _labelled("Do not", unsafe_of(change))
            _labelled("Safe to say:", safe_of(change))
        _labelled("How sure:", f"{sureness_of(change)}.")
        if change["decided_at"]:
            by = f"{change['decided_by']} on {change['decided_at']:%Y-%m-%d}, {change['state']}"
            _labelled("Decided by", f"{by}: {change['decision_note']}")
        if _is_open(change):
            _labelled("Please decide:", f'saferkc changes confirm|reject {change["change_id"]} --note "…"')
        out.print()
    out.print(Text(f"Changes: {len(changes)}, to be decided: {sum(map(_is_open, changes))}."))


def _is_open(change: Mapping[str, Any]) -> bool:
    return change["state"] == "suspected" and change["kind"] in _OF_COUNTING


def _headline(change: Mapping[str, Any]) -> str:
    if _is_open(change):
        return title_of(change)
    subject, state = change["parent_series"] or change["series"], change["state"]
    if state in _ENDED:
        return f"{subject}: {_ENDED[state]}"
    if change["kind"] in _OTHER_KINDS and state != "confirmed":
        return f"{subject}: {_OTHER_KINDS[change['kind']]}"
    if change["nature"] == "rename":
        return f"{subject}: new names, counted as before"
    return f"{subject}: recorded differently, not happening more or less often"


def _where(change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    everywhere = change["evidence"].get("areas", ())
    if change["geography"] == "all" and len(everywhere) != 1:
        return "in all areas"
    areas = everywhere if change["geography"] == "all" else change["geography"].split(", ")
    areas = [names.get(area, area) for area in areas]
    return f"in {', '.join(areas)}" if len(areas) < _MANY_AREAS else f"in {len(areas)} areas"


def _labelled(label: str, text: str) -> None:
    """Print a paragraph that hangs under its number, unless there is nothing to say; wrapped where somebody reads."""
    if not text:
        return
    words = f"{label} {text}".strip()
    lines = textwrap.wrap(words, max(out.width - len(_INDENT), 40)) if out.is_terminal else [words]
    for number, line in enumerate(lines):
        shown = Text(_INDENT + line)
        if number == 0:
            shown.stylize("bold", len(_INDENT), len(_INDENT) + len(label))
        out.print(shown)
