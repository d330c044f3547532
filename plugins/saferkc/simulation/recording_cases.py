"""Cases on which a detector of recording changes is scored: monthly counts with the truth beside them.

Seventeen cases (some in variants) of what happens to police figures: counting changes, crime changes, deliveries go
wrong, or nothing happens. Each is a feed as the detector takes it, made from one world: nine boroughs, three kinds of
offence with their classes, seasons, slow drifts of London and of each borough, months that go together, a usual
Carnival in the home borough, and more variance than chance alone gives. The same seed gives the same counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np

from saferkc.recording.findings import Kind
from saferkc.recording.series import Feed, Floats, Panel, Rate
from saferkc.simulation.chance import generator, months_later

HOME = "E09000020"
AREAS = (HOME, *(f"E090001{number:02d}" for number in range(8)))
FIRST_MONTH = date(2012, 1, 1)
# April of the sixth year; twelve months and more follow
CHANGE = 63
MONTHS = CHANGE + 30

# offences a month in the home borough at its real size, about 1,500 burglaries a year
WORLD: Mapping[str, Mapping[str, float]] = {
    "Burglary": {"Dwelling": 80, "Other building": 50},
    "Theft": {"Theft from person": 120, "Theft from motor vehicle": 150, "Theft from shops": 130, "Other theft": 250},
    "Violence": {"Assault with injury": 110, "Common assault": 120, "Harassment": 110, "Wounding": 25},
}
_CARNIVAL = {"Theft from person": 1.4, "Assault with injury": 1.25, "Common assault": 1.2}
_LOCKDOWN = {
    "Dwelling": 0.7, "Other building": 0.85, "Theft from person": 0.3, "Theft from motor vehicle": 0.75,
    "Theft from shops": 0.55, "Other theft": 0.5, "Assault with injury": 0.7, "Common assault": 0.85,
    "Harassment": 1.05, "Wounding": 0.65,
}  # fmt: skip
# noise on the log scale: slow drifts a month, months that go together, and what chance does not explain
_DRIFT, _SHARED, _SHARED_MEMORY, _EXTRA_VARIANCE = 0.008, 0.03, 0.4, 0.003
_SEASON = 0.08

Means = dict[str, dict[str, Floats]]
# what a case is about: counting changed, crime changed, the data are at fault, or nothing happened
TruthKind = Literal["recording", "real", "data_fault", "none"]


@dataclass(frozen=True)
class Case:
    """One case: the feed, and what is true of it.

    ``month`` is the number of the first month that is otherwise, None where nothing happened; ``tolerance`` is how many
    months a right date may be off; ``horizon`` for how many months the detector is watched. ``allowed`` are further
    answers that are right for this case, ``natures`` those that a recording change may have (any, where empty).
    ``first_night`` is the feed on the night with the new month, where later nights bring that month again. In case 3
    a real fall stands beside the recording change; whether it is told apart is not scored.
    """

    number: str
    name: str
    feed: Feed
    kind: TruthKind
    month: int | None
    parent: str | None = None
    treatment: str | None = None
    allowed: frozenset[Kind] = frozenset()
    horizon: int = 12
    tolerance: int = 1
    first_night: Feed | None = None
    natures: frozenset[str] = field(default_factory=frozenset)

    def at(self, length: int) -> Feed:
        """The feed as it was delivered when ``length`` months were over."""
        if self.first_night is not None and self.month is not None and length == self.month + 1:
            return self.first_night.until(length)
        return self.feed.until(length)


def months(count: int = MONTHS) -> tuple[date, ...]:
    """The first ``count`` months of the world."""
    return tuple(months_later(FIRST_MONTH, number) for number in range(count))


def means(seed: int, volume: float, areas: int = len(AREAS)) -> Means:
    """Expected counts of each class, shape (areas, months), before anything happens."""
    result: Means = {}
    for parent, classes in WORLD.items():
        result[parent] = {}
        for name, level in classes.items():
            chance = generator(seed, f"recording {name}")
            weight = np.append(1.0, chance.uniform(0.6, 1.6, areas - 1))[:, None]
            season = (
                _SEASON
                * chance.uniform(0.3, 1.3)
                * np.cos(2 * np.pi * (np.arange(MONTHS) - chance.uniform(0, 12)) / 12)
            )
            london = chance.normal(0, _DRIFT, MONTHS).cumsum()
            own = chance.normal(0, _DRIFT, (areas, MONTHS)).cumsum(axis=1)
            log = (
                season
                + london
                + own
                + _going_together(chance)
                + np.stack([_going_together(chance) for _ in range(areas)])
            )
            mean = level * volume * weight * np.exp(log)
            mean[0, 7::12] *= _CARNIVAL.get(name, 1.0)
            result[parent][name] = mean
    return result


def _going_together(chance: np.random.Generator) -> Floats:
    shocks = chance.normal(0, _SHARED * np.sqrt(1 - _SHARED_MEMORY**2), MONTHS)
    result = np.empty(MONTHS)
    last = chance.normal(0, _SHARED)
    for number, shock in enumerate(shocks):
        last = result[number] = _SHARED_MEMORY * last + shock
    return result


def drawn(seed: int, what: str, mean: Floats) -> Floats:
    """Counts with these means: Poisson with gamma-distributed rates, so that their variance exceeds their mean."""
    chance = generator(seed, f"recording counts {what}")
    shape = 1 / _EXTRA_VARIANCE
    return chance.poisson(mean * chance.gamma(shape, 1 / shape, mean.shape)).astype(float)


def _panel(seed: int, parent: str, classes: Mapping[str, Floats], areas: tuple[str, ...] = AREAS) -> Panel:
    counts = np.stack([drawn(seed, name, mean) for name, mean in classes.items()], axis=1)
    return Panel("simulated", parent, areas, tuple(classes), months(), counts, series=parent.lower())


def _feed(seed: int, world: Means, *, sister: Floats | None = None) -> Feed:
    panels = tuple(_panel(seed, parent, classes) for parent, classes in world.items())
    sisters = {} if sister is None else {"Violence": ("Ambulance calls", drawn(seed, "ambulance", sister))}
    return Feed("simulated", panels, sisters)


def _violence(world: Means) -> Floats:
    # not every assault leads to a call
    total: Floats = 0.4 * sum(world["Violence"].values(), start=np.zeros((len(AREAS), MONTHS)))
    return total


def _recode(seed: int, feed: Feed, share: float, start: int = CHANGE, new_names: tuple[str, str] | None = None) -> Feed:
    """Each offence of other buildings from ``start`` on is counted as a dwelling with this chance."""
    chance = generator(seed, "recording recode")
    burglary = feed.panels[0]
    counts = burglary.counts.copy()
    moved = chance.binomial(counts[:, 1, start:].astype(int), share)
    counts[:, 0, start:] += moved
    counts[:, 1, start:] -= moved
    changed = replace(burglary, counts=counts)
    if new_names:
        changed = _renamed(changed, start, new_names)
    return replace(feed, panels=(changed, *feed.panels[1:]))


def _renamed(panel: Panel, start: int, names: tuple[str, ...]) -> Panel:
    old, new = panel.counts.copy(), panel.counts.copy()
    old[:, :, start:] = 0
    new[:, :, :start] = 0
    return replace(panel, children=(*panel.children, *names), counts=np.concatenate([old, new], axis=1))


_NEW_NAMES = ("Residential", "Business and community")


def _case_1(seed: int, volume: float) -> Case:
    feed = _recode(seed, _feed(seed, means(seed, volume)), 0.3, new_names=_NEW_NAMES)
    return Case("1", "30 % recoded, new names, total level", feed, "recording", CHANGE, "Burglary", "bridge")


def _case_1_without_names(seed: int, volume: float) -> Case:
    feed = _recode(seed, _feed(seed, means(seed, volume)), 0.3)
    return Case("1b", "the same without new names", feed, "recording", CHANGE, "Burglary", "bridge")


def _case_1_alone(seed: int, volume: float) -> Case:
    feed = _only_home(_recode(seed, _feed(seed, means(seed, volume)), 0.3))
    return Case("1c", "the same, no other borough to look at", feed, "recording", CHANGE, "Burglary", "bridge")


def _case_1_in_october(seed: int, volume: float) -> Case:
    start = CHANGE + 6
    feed = _recode(seed, _feed(seed, means(seed, volume)), 0.3, start)
    return Case("1d", "as 1b, in October, when nobody expects it", feed, "recording", start, "Burglary", "bridge")


def _only_home(feed: Feed) -> Feed:
    panels = tuple(replace(panel, areas=panel.areas[:1], counts=panel.counts[:1]) for panel in feed.panels)
    return replace(
        feed, panels=panels, sisters={parent: (name, counts[:1]) for parent, (name, counts) in feed.sisters.items()}
    )


def _case_2(seed: int, volume: float) -> Case:
    share = generator(seed, "recording share").uniform(0.08, 0.15)
    feed = _recode(seed, _feed(seed, means(seed, volume)), share)
    return Case("2", "8 to 15 % recoded, no new name", feed, "recording", CHANGE, "Burglary", "bridge",
                allowed=frozenset({"unsure"}))  # fmt: skip


def _case_3(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    for mean in world["Burglary"].values():
        mean[0, CHANGE:] *= 0.9
    feed = _recode(seed, _feed(seed, world), 0.3)
    return Case("3", "30 % recoded while burglary here falls by 10 %", feed, "recording", CHANGE, "Burglary", "bridge")


def _case_4(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    start = CHANGE - 3
    feed = replace(feed, panels=(_renamed(feed.panels[0], start, _NEW_NAMES), *feed.panels[1:]))
    return Case("4", "pure rename in January", feed, "recording", start, "Burglary", "bridge",
                natures=frozenset({"rename"}))  # fmt: skip


def _case_5(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    august = CHANGE + 4
    for parent in ("Theft", "Violence"):
        for mean in world[parent].values():
            mean[0, august] *= 1.6
    return Case("5", "Carnival: one August, 60 % more", _feed(seed, world), "real", august)


def _case_6(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    growth = 1.015 ** np.maximum(np.arange(MONTHS) - CHANGE + 12, 0)
    for mean in world["Burglary"].values():
        mean[0] *= growth
    return Case("6", "a rise of 1.5 % a month for two years", _feed(seed, world), "real", CHANGE)


def _case_7(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    chance = generator(seed, "recording local rise")
    # any month but the one on which rules change as often as that one: a rise has no reason to wait for April
    start = CHANGE + int(chance.integers(-6, 6))
    world["Burglary"]["Dwelling"][0, start:] *= chance.uniform(1.25, 1.6)
    return Case("7", "burglary of dwellings rises here only, peers level", _feed(seed, world), "real", start)


def _case_7_alone(seed: int, volume: float) -> Case:
    case = _case_7(seed, volume)
    return replace(case, number="7b", name="the same, no other borough to look at", feed=_only_home(case.feed))


def _case_8(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    truth = _violence(world)
    world["Violence"]["Harassment"][:, CHANGE:] *= 1.6
    feed = _feed(seed, world, sister=truth)
    return Case("8", "extra counting in all boroughs, another feed level", feed, "recording",
                CHANGE, "Violence", "break")  # fmt: skip


def _case_8_alone(seed: int, volume: float) -> Case:
    case = _case_8(seed, volume)
    return replace(case, number="8b", name="the same, no other feed to look at", feed=replace(case.feed, sisters={}),
                   allowed=frozenset({"unsure"}))  # fmt: skip


def _case_9(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    truth = _violence(world)
    ramp = np.interp(np.arange(MONTHS), [CHANGE, CHANGE + 24], [1.0, 1.5])
    world["Violence"] = {name: mean * ramp for name, mean in world["Violence"].items()}
    return Case("9", "two years' ramp of recording, another feed level", _feed(seed, world, sister=truth), "recording",
                CHANGE, "Violence", "note", horizon=30, tolerance=6)  # fmt: skip


def _case_10(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    chance = generator(seed, "recording restated")
    moved = chance.uniform(0.06, 0.15, len(AREAS))
    panels = []
    for panel in feed.panels:
        counts = panel.counts.copy()
        # each borough's share goes to the next one, in all of history
        gone = chance.binomial(counts.astype(int), moved[:, None, None])
        panels.append(replace(panel, counts=counts - gone + np.roll(gone, 1, axis=0)))
    earlier = tuple(panel.until(CHANGE) for panel in feed.panels)
    return Case("10", "borough basis restated in all of history", replace(feed, panels=tuple(panels), earlier=earlier),
                "recording", CHANGE, None, "reload", horizon=1, tolerance=MONTHS)  # fmt: skip


def _case_11(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    start = CHANGE - 1
    base = sum((panel.total for panel in feed.panels), start=np.zeros((len(AREAS), MONTHS)))
    share = np.array([0.02, 0.15])[:, None, None] * np.ones((2, 1, MONTHS))
    share[0, :, start:] *= 1.4
    share[1, :, start:] *= 0.75
    chance = generator(seed, "recording flags")
    # officers flag a little more or less from month to month
    share = share * np.exp(chance.normal(0, 0.04, (2, len(AREAS), MONTHS)))
    counts = chance.binomial(base.astype(int), share).astype(float).transpose(1, 0, 2)
    flags = Panel("simulated", "All offences", AREAS, ("Hate crime", "Domestic abuse"), months(), counts, "flag",
                  base=base, series="all_offences")  # fmt: skip
    empty = np.full((len(AREAS), MONTHS), 0.04)
    empty[:, start:] = 0.12
    rate = Rate(
        "records without a relationship", "system", chance.binomial(base.astype(int), empty).astype(float), base
    )
    return Case("11", "flags step at a change of system, the rest level",
                Feed("simulated", (flags, *feed.panels), rates=(rate,)), "recording", start, "All offences",
                "break")  # fmt: skip


def _case_12(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    chance = generator(seed, "recording incomplete")
    panels = []
    for panel in feed.panels:
        counts = panel.counts.copy()
        counts[:, :, CHANGE] = chance.binomial(counts[:, :, CHANGE].astype(int), 0.55)
        panels.append(replace(panel, counts=counts))
    return Case("12", "the newest month 55 % complete", feed, "data_fault", CHANGE, None, "hold", horizon=1,
                first_night=replace(feed, panels=tuple(panels)))  # fmt: skip


def _case_13(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    absent = 0.0 if seed % 2 else np.nan
    panels = []
    for panel in feed.panels:
        counts = panel.counts.copy()
        counts[:2, :, CHANGE : CHANGE + 2] = absent
        panels.append(replace(panel, counts=counts))
    return Case("13", "a force missing for two months", replace(feed, panels=tuple(panels)), "data_fault", CHANGE, None,
                "hold")  # fmt: skip


def _case_14(seed: int, volume: float) -> Case:
    chance = generator(seed, "recording wards")
    whole = sum((sum(classes.values()) for classes in means(seed, volume, 1).values()), start=np.zeros((1, MONTHS)))
    weights = chance.dirichlet(np.full(18, 12.0))
    own = np.exp(chance.normal(0, _DRIFT, (18, MONTHS)).cumsum(axis=1))
    names = [f"Ward {number}" for number in range(1, 19)]
    wards = {name: whole * weights[n] * own[n] * 1.4 for n, name in enumerate(names)}
    panel = replace(_panel(seed, "All offences", wards, (HOME,)), dimension="place")
    one, other = chance.choice(18, 2, replace=False)
    counts = panel.counts.copy()
    start = CHANGE + 1
    moved = chance.binomial(counts[:, one, start:].astype(int), 0.35)
    counts[:, one, start:] -= moved
    counts[:, other, start:] += moved
    return Case("14", "a ward keeps its name, its boundary moves", Feed("simulated", (replace(panel, counts=counts),)),
                "recording", start, "All offences", "break", natures=frozenset({"geography"}))  # fmt: skip


def _case_15_twice(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    panels = []
    for panel in feed.panels:
        counts = panel.counts.copy()
        counts[:, :, CHANGE] *= 2
        panels.append(replace(panel, counts=counts))
    return Case(
        "15", "a delivery loaded twice", replace(feed, panels=tuple(panels)), "data_fault", CHANGE, None, "hold"
    )


def _case_15_mistyped(seed: int, volume: float) -> Case:
    feed = _feed(seed, means(seed, volume))
    theft = feed.panels[1]
    counts = theft.counts.copy()
    wrong = generator(seed, "recording slip").binomial(counts[:, 1, CHANGE].astype(int), 0.03).astype(float)
    # at least one record has it, or there is nothing to find
    wrong[0] = max(wrong[0], 1.0)
    slip = np.zeros_like(counts[:, :1])
    slip[:, 0, CHANGE] = np.minimum(wrong, counts[:, 1, CHANGE])
    counts[:, 1] -= slip[:, 0]
    panel = replace(theft, children=(*theft.children, "Theft from motor vehcile"),
                    counts=np.concatenate([counts, slip], axis=1))  # fmt: skip
    return Case("15b", "a code mistyped", replace(feed, panels=(feed.panels[0], panel, feed.panels[2])), "data_fault",
                CHANGE, "Theft", "hold")  # fmt: skip


def _case_16(seed: int, volume: float) -> Case:
    world = means(seed, volume)
    recovery = np.interp(np.arange(MONTHS), [CHANGE - 1, CHANGE, CHANGE + 2, CHANGE + 14], [0.0, 1.0, 1.0, 0.2])
    for classes in world.values():
        for name in classes:
            classes[name] *= 1 - (1 - _LOCKDOWN[name]) * recovery
    feed = _feed(seed, world, sister=_violence(world))
    return Case("16", "a fall in all London, as in a lockdown", feed, "real", CHANGE)


def _case_17(seed: int, volume: float) -> Case:
    return Case("17", "no change in five years", _feed(seed, means(seed, volume)), "none", None, horizon=60)


MAKERS: Mapping[str, Callable[[int, float], Case]] = {
    "1": _case_1, "1b": _case_1_without_names, "1c": _case_1_alone, "1d": _case_1_in_october,
    "2": _case_2, "3": _case_3, "4": _case_4,
    "5": _case_5, "6": _case_6, "7": _case_7, "7b": _case_7_alone, "8": _case_8, "8b": _case_8_alone, "9": _case_9,
    "10": _case_10, "11": _case_11, "12": _case_12, "13": _case_13, "14": _case_14, "15": _case_15_twice,
    "15b": _case_15_mistyped, "16": _case_16, "17": _case_17,
}  # fmt: skip


def make_case(number: str, seed: int, volume: float = 1.0) -> Case:
    """Make a case by its number; ``volume`` 1 is this borough, 10 ten times as much, 0.1 a tenth.

    Raises ``KeyError`` where there is no such case.
    """
    return MAKERS[number](seed, volume)
