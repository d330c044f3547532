"""What the detector says: findings, and changes, which are findings with one cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["recording", "real", "data_fault", "unsure"]
Nature = Literal[
    "rename", "split", "merge", "scope", "counting_rule", "geography", "system", "practice", "coverage", "revision"
]
Treatment = Literal["bridge", "break", "note", "hold", "reload"]

# what outranks what where findings meet in one change: a fault in the data says nothing about crime or counting
RANK: dict[Kind, int] = {"data_fault": 0, "recording": 1, "unsure": 2, "real": 3}


@dataclass(frozen=True)
class Effect:
    """How large a change is: an estimate with its 95 % interval, and in words what is counted and in which unit."""

    estimate: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Finding:
    """One thing that was seen in one series.

    ``month`` is the first month counted in the new way, ``earliest`` and ``latest`` the months between which it lies.
    ``series`` is the class or the whole that moved, ``whole`` the one that it belongs to (itself, where it is one);
    ``bridged_parent`` is the whole that may still be compared, where there is one. ``areas`` are those concerned.
    ``confidence`` (0 to 1) is about ``kind``. ``evidence`` is written for the community safety team: sentences with
    numbers of offences, kept as ``words.as_shown`` says them, no statistics. ``signals`` names what was used.
    """

    kind: Kind
    nature: Nature | None
    feed: str
    series: str
    whole: str
    bridged_parent: str | None
    areas: tuple[str, ...]
    month: date
    earliest: date
    latest: date
    confidence: float
    treatment: Treatment | None
    evidence: tuple[str, ...]
    signals: tuple[str, ...]
    effect: Effect | None = None
    # the same for each area, where a change holds in many: what a bridge of one borough needs
    effect_by_area: Mapping[str, Effect] = field(default_factory=dict)
    # all classes that take part, the one named by ``series`` included
    classes: tuple[str, ...] = ()
    register_id: str | None = None


@dataclass(frozen=True)
class Change:
    """Findings with one cause. The first is the most specific one and speaks for the change."""

    findings: tuple[Finding, ...] = field(default=())

    @property
    def lead(self) -> Finding:
        """The finding that speaks for the change."""
        return self.findings[0]

    @property
    def areas(self) -> tuple[str, ...]:
        """All areas concerned, in alphabetical order."""
        return tuple(sorted({area for finding in self.findings for area in finding.areas}))

    @property
    def evidence(self) -> tuple[str, ...]:
        """Every sentence of evidence, each once, the lead's first."""
        return tuple(dict.fromkeys(text for finding in self.findings for text in finding.evidence))
