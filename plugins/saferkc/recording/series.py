"""Monthly counts as the detector takes them: classes of one whole in one or more areas, and what is known beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# what the classes of a panel are: kinds of offence, places within the area, or flags that an offence may carry
Dimension = Literal["category", "place", "flag"]
EVERYTHING = "All offences"


@dataclass(frozen=True)
class Panel:
    """Counts of the classes (children) of one whole (parent), shape (areas, children, months).

    NaN is a month that was not delivered, 0 one in which nothing was counted. Months follow one another without a
    gap. ``listed`` names codes that were on the code list before anybody used them: their first use is no news.
    Flags overlap and are not all of the whole: theirs is in ``base``, shape (areas, months). ``series`` is the name of
    the whole in the register of changes, where it has one, and ``child_series`` those of classes that have their own.

    Raises ``ValueError`` where shapes disagree.
    """

    feed: str
    parent: str
    areas: tuple[str, ...]
    children: tuple[str, ...]
    months: tuple[date, ...]
    counts: Floats
    dimension: Dimension = "category"
    listed: frozenset[str] = frozenset()
    base: Floats | None = None
    series: str = ""
    child_series: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.areas), len(self.children), len(self.months))
        if self.counts.shape != expected:
            raise ValueError(f"{self.feed}, {self.parent}: counts have shape {self.counts.shape}, expected {expected}")
        if self.base is not None and self.base.shape != (expected[0], expected[2]):
            raise ValueError(f"{self.feed}, {self.parent}: base has shape {self.base.shape}")

    @property
    def total(self) -> Floats:
        """Counts of the whole, shape (areas, months)."""
        return self.counts.sum(axis=1) if self.base is None else self.base

    def until(self, length: int) -> Panel:
        """The panel as it was when only its first ``length`` months were there, without codes nobody had seen yet."""
        counts = self.counts[:, :, :length]
        seen = np.nansum(counts, axis=(0, 2)) > 0
        return replace(
            self,
            months=self.months[:length],
            counts=counts[:, seen],
            children=tuple(name for name, is_seen in zip(self.children, seen, strict=True) if is_seen),
            base=None if self.base is None else self.base[:, :length],
        )


@dataclass(frozen=True)
class Rate:
    """How many of a feed's records have some quality each month, shape (areas, months).

    ``name`` says of what it is a share ("records without an LSOA"); ``nature`` is the kind of recording change that
    moves it: ``system`` for empty fields and lag, ``geography`` for match rates.
    """

    name: str
    nature: Literal["system", "geography"]
    having: Floats
    records: Floats

    def until(self, length: int) -> Rate:
        """The rate as it was when only its first ``length`` months were there."""
        return replace(self, having=self.having[:, :length], records=self.records[:, :length])


@dataclass(frozen=True)
class Feed:
    """All that is looked at together: the panels of one feed, with the same areas and months, and what stands beside.

    ``sisters`` are counts by another feed of the same thing that a panel counts, by the panel's parent, shape (areas,
    months), NaN where that feed has none. Those named in ``same_records`` are made from the records of this feed: one
    that does not move with it speaks of counting, one that moves as well may live through the same rule. ``everything``
    is what all wholes together are called. ``earlier`` are panels as an earlier vintage had them. ``usual_days`` are
    days on which counting tends to change besides 1 April: go-lives of systems. ``area_names`` is what people call the
    areas, where that is not how they stand in the panels. ``hidden`` are labels that may be somebody's name, with what
    stands for them wherever people read.

    Raises ``ValueError`` where panels have other areas or months than the first.
    """

    name: str
    panels: tuple[Panel, ...]
    sisters: Mapping[str, tuple[str, Floats]] = field(default_factory=dict)
    same_records: frozenset[str] = frozenset()
    everything: str = EVERYTHING
    rates: tuple[Rate, ...] = ()
    earlier: tuple[Panel, ...] = ()
    usual_days: frozenset[date] = frozenset()
    area_names: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for panel in self.panels[1:]:
            if (panel.areas, panel.months) != (self.panels[0].areas, self.panels[0].months):
                raise ValueError(f"{self.name}: {panel.parent} has other areas or months than {self.panels[0].parent}")

    @property
    def months(self) -> tuple[date, ...]:
        """The months of all panels; none where there is no panel."""
        return self.panels[0].months if self.panels else ()

    def until(self, length: int) -> Feed:
        """The feed as it was when only its first ``length`` months were there."""
        return replace(
            self,
            panels=tuple(panel.until(length) for panel in self.panels),
            sisters={parent: (name, counts[:, :length]) for parent, (name, counts) in self.sisters.items()},
            rates=tuple(rate.until(length) for rate in self.rates),
        )

    def is_usual(self, month: date) -> bool:
        """Tell whether counting tends to change at the beginning of this month: 1 April, or a go-live just before."""
        return month.month == 4 or any(
            (month.year * 12 + month.month) - (day.year * 12 + day.month) == (day.day > 1) for day in self.usual_days
        )
