"""What stands in the ledger of changes, as expectations ask it: which of them a change fails, and how gravely.

The detector examines a feed once; what it found stands in the ledger beside what people decided on it. An expectation
asks for that, and so never says something else than the ledger does.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from saferkc.disclosure import DisclosureRules
from saferkc.recording.words import as_shown

Aspect = Literal["code list", "sibling share", "history", "period", "break"]
Severity = Literal["error", "warning"]

# of every feed, by feed and month: what is suspected, registered or confirmed, and alarms somebody
STANDING = """
select change_id, feed, series, parent_series, geography, effective_month, kind, nature, treatment, state, register_id,
    evidence
from quality.recording_change
where kind <> 'real' and state not in ('gone', 'rejected')
order by feed, effective_month, change_id
"""


@dataclass(frozen=True)
class Standing:
    """A change that stands: a row of the ledger. ``sentences`` is its evidence as anybody may read it."""

    change_id: int
    feed: str
    series: str
    parent_series: str
    geography: str
    month: date
    kind: str
    treatment: str | None
    state: str
    register_id: str | None
    sentences: tuple[str, ...]
    signals: frozenset[str]

    @property
    def aspect(self) -> Aspect:
        """The one expectation that this change is a matter of."""
        if "completeness" in self.signals:
            return "period"
        if "vintages" in self.signals:
            return "history"
        if "code_list" in self.signals:
            return "code list"
        return "sibling share" if "sibling_share" in self.signals else "break"

    @property
    def severity(self) -> Severity | None:
        """How gravely it fails its expectation: a fault of the data is an error until it is rejected or gone.

        Whatever else somebody has registered or decided fails nothing (None).
        """
        if self.kind == "data_fault":
            return "error"
        return "warning" if self.state == "suspected" else None

    @property
    def told(self) -> str:
        """The change in one paragraph: its number, what was seen, and what is known or suggested."""
        if self.severity is None:
            ending = f"Known: {self.register_id} in the register." if self.register_id else "Confirmed by the team."
        else:
            ending = f"Suggested treatment: {self.treatment}." if self.treatment else ""
        return f"Change {self.change_id}: {' '.join(self.sentences)} {ending}".rstrip()


def source_of(feed: str) -> str:
    """The feed of the warehouse that one of the detector's is read from: the first word of its name."""
    return feed.partition(" ")[0]


def relation_of(feed: str) -> str:
    """The relation whose records one of the detector's feeds counts, as the rules of disclosure name it."""
    return f"raw.{source_of(feed)}"


def evidence_of(change: Mapping[str, Any], rules: DisclosureRules, audience: str) -> tuple[str, ...]:
    """The evidence of a row of the ledger in sentences, with the counts that an audience may see.

    ``sentences`` is what anybody may read; where nothing else is kept, it is all there is. Raises ``DisclosureError``.
    """
    evidence = change["evidence"]
    kept = evidence.get("sentences_as_counted", evidence.get("sentences", ()))
    return tuple(as_shown(text, rules.rule(audience, relation_of(change["feed"]))) for text in kept)


def shown(result: Mapping[str, Any] | None) -> str:
    """The evidence in an expectation's result as the data docs show it, in HTML: labels come from agencies' files."""
    told = (result or {}).get("details", {}).get("evidence", ())
    return "<br>".join(html.escape(text) for text in told) or "nothing found"


def as_standing(rows: Iterable[Mapping[str, Any]]) -> list[Standing]:
    """Rows of ``STANDING`` as changes, in their order."""
    return [
        Standing(
            change_id=row["change_id"],
            feed=row["feed"],
            series=row["series"],
            parent_series=row["parent_series"],
            geography=row["geography"] or "all",
            month=row["effective_month"],
            kind=row["kind"],
            treatment=row["treatment"],
            state=row["state"],
            register_id=row["register_id"],
            sentences=tuple(row["evidence"].get("sentences", ())),
            signals=frozenset(row["evidence"].get("signals", ())),
        )
        for row in rows
    ]
