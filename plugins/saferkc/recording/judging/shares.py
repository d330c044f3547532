"""Findings from moves between the classes of one whole."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from saferkc.recording.codes import CodeEvent
from saferkc.recording.findings import Effect, Finding, Kind, Nature, Treatment
from saferkc.recording.judging.known import KnownChange, known_change
from saferkc.recording.series import Feed, Floats, Panel
from saferkc.recording.shares import ONE_MOVE_MONTHS, Move, Scan, moves, scan
from saferkc.recording.steps import restlessness, step_at
from saferkc.recording.words import counted, month_in_words, share_of, where, why_then

# so many areas make a crowd whose members can vouch for each other
PEERS = 4
# Margins from which a move is called recording, and from which it is worth a question. A move of one area that its
# peers do not share is most likely no rule: it needs the clearest sign. On a day on which counting tends to change,
# or with a new code, less will do where more than one area has it.
_RECORDING = {"together": 10.0, "alone": 11.0, "apart": 18.0}
_UNSURE = {"together": 7.0, "alone": 7.5, "apart": 11.0}
_EXPECTED_DAY = 3.5
# a step is sharp: half a year later its month is known this well; what goes on for longer is a trend
SHARP_MONTHS, _HALF_A_YEAR = 5, 6
_MOST_CONFIDENCE = 0.98
_AGREEING_AREAS = 2 / 3
# what is left of a level after the move is real crime from so many standard errors; nobody reads "level" where more
# than this part of the move is left
_REAL_T, _LEVEL_SHARE = 3.0, 0.25


def judge_shares(
    feed: Feed,
    panel: Panel,
    events: Sequence[CodeEvent],
    register: Sequence[KnownChange],
    upheavals: Container[int],
    since: int,
) -> Iterator[Finding]:
    """Yield what moves between classes of ``panel`` (joined over renames, without NaN) mean.

    In months of ``upheavals`` most wholes step at once: classes rise and fall for reasons of their own, and two that
    do so by as much are no sign of anything.
    """
    if panel.dimension == "flag" or len(panel.children) < 2:
        return
    has_peers = len(panel.areas) >= PEERS
    # what one area has and its peers have not must fit in every respect
    areas = scan(panel.counts, since, beside_level=not has_peers)
    if areas is None:
        return
    eased = _eased(feed, panel, events, register, areas.places, has_peers=has_peers)
    shared: list[Move] = []
    if has_peers:
        together = scan(panel.counts.sum(axis=0, keepdims=True), since, beside_level=True)
        if together is None:
            raise AssertionError("all areas together have the months of each")
        for move in _sharp(moves(together, _threshold(panel, "together", eased)[:, None]), upheavals):
            agreeing = _agreeing(areas, move)
            if agreeing >= _AGREEING_AREAS * len(panel.areas):
                shared.append(move)
                ease = float(eased[areas.places.index(move.place)])
                found = _finding(feed, panel, move, "together", ease, register, agreeing)
                yield replace(found, effect_by_area=_by_area(panel, areas, move))
                yield from _real_beside(feed, panel, move)
    standing = "apart" if has_peers else "alone"
    # what nobody shares is no rule: neither a day on which rules change nor a new code makes it likelier
    own_eased = np.zeros_like(eased) if has_peers else eased
    threshold = np.repeat(_threshold(panel, standing, own_eased)[:, None], len(panel.areas), axis=1)
    for move in _sharp(moves(areas, threshold), upheavals):
        # nobody vouches for it that more than what moved rose or fell beside the move
        is_lost_in_rest = not has_peers and abs(move.gained - move.lost) > move.moved
        if not is_lost_in_rest and not any(_same(move, other) for other in shared):
            yield _finding(feed, panel, move, standing, float(own_eased[areas.places.index(move.place)]), register)


def _by_area(panel: Panel, areas: Scan, move: Move) -> dict[str, Effect]:
    """How much moved in each area: half the difference of the two steps, for each class tells of the move alike."""
    steps = areas.steps[areas.places.index(move.place)]
    a, b = move.gainer, move.loser
    moved = (steps.size[:, a] - steps.size[:, b]) / 2
    covariance = steps.covariance
    error = np.sqrt(np.maximum(covariance[:, a, a] + covariance[:, b, b] - 2 * covariance[:, a, b], 0.0)) / 2
    unit = _unit(panel, move)
    return {
        area: Effect(float(m), float(m - 1.96 * e), float(m + 1.96 * e), unit)
        for area, m, e in zip(panel.areas, moved, error, strict=True)
    }


def _unit(panel: Panel, move: Move) -> str:
    return f"offences a month moved from “{panel.children[move.loser]}” to “{panel.children[move.gainer]}”"


def _threshold(panel: Panel, standing: str, eased: Floats | float, least: Mapping[str, float] = _UNSURE) -> Floats:
    """The margin from which a move says something: more where more pairs, and areas, give chance more chances."""
    pairs = len(panel.children) * (len(panel.children) - 1) / 2
    chances = pairs * (len(panel.areas) if standing == "apart" else 1)
    # noise reaches a margin m with a chance that falls as e^-m: both classes must go their way by the root of it
    return np.asarray(least[standing] + np.log(chances) - eased)


def _sharp(found: Iterator[Move], upheavals: Container[int]) -> Iterator[Move]:
    for move in found:
        is_trend = move.after >= _HALF_A_YEAR and move.latest - move.earliest > SHARP_MONTHS
        if not is_trend and move.place not in upheavals:
            yield move


def _eased(
    feed: Feed,
    panel: Panel,
    events: Sequence[CodeEvent],
    register: Sequence[KnownChange],
    places: Sequence[int],
    *,
    has_peers: bool,
) -> Floats:
    """By how much less margin will do, for each month of the scan.

    On 1 April budgets, targets and operations begin as well as rules: without peers, who would share a rule, the day
    says half as much as a new code, an entry of the register or a go-live.
    """
    with_codes = {event.place for event in events if event.renames or event.born or event.died}

    def eased(place: int) -> float:
        month = panel.months[place]
        if place in with_codes or known_change(register, panel, month) is not None:
            return _EXPECTED_DAY
        if not feed.is_usual(month):
            return 0.0
        return _EXPECTED_DAY if has_peers or month.month != 4 else _EXPECTED_DAY / 2

    return np.array([eased(place) for place in places])


def _same(move: Move, other: Move) -> bool:
    return {move.gainer, move.loser} == {other.gainer, other.loser} and abs(move.place - other.place) < ONE_MOVE_MONTHS


def _agreeing(areas: Scan, move: Move) -> int:
    """In how many areas the two classes go the same way: one large borough is not London."""
    steps = areas.steps[areas.places.index(move.place)]
    difference = steps.size[:, move.gainer] - steps.size[:, move.loser]
    return int((difference > 0).sum())


def _finding(
    feed: Feed,
    panel: Panel,
    move: Move,
    standing: str,
    eased: float,
    register: Sequence[KnownChange],
    agreeing: int = 1,
) -> Finding:
    threshold = float(_threshold(panel, standing, eased, _RECORDING))
    kind: Kind = "recording" if move.margin >= threshold else "unsure"
    nature: Nature = "geography" if panel.dimension == "place" else "practice" if standing == "apart" else "split"
    treatment: Treatment = "note" if kind == "unsure" else "break" if nature == "geography" else "bridge"
    # at the threshold four to one
    confidence = min(_MOST_CONFIDENCE, 1 / (1 + 0.25 * float(np.exp(-(move.margin - threshold) / 2))))
    areas = panel.areas if standing == "together" else (panel.areas[move.row],)
    gainer, loser = panel.children[move.gainer], panel.children[move.loser]
    month = panel.months[move.place]
    entry = known_change(register, panel, month)
    place = where(feed, areas)
    if standing == "together":
        place = f"in all areas together, and the same way in {agreeing} of {len(panel.areas)} taken alone"
    both = move.gained - move.lost
    level = "are level"
    if abs(both) > _LEVEL_SHARE * move.moved:
        why = "no move between them explains" if abs(move.level_t) >= _REAL_T else "may be chance"
        level = f"{'rose' if both > 0 else 'fell'} by {counted(both)}, which {why}"
    had = move.moved / move.share_of_loser if move.share_of_loser else 0.0
    evidence = [
        f"From {month_in_words(month)} “{gainer}” rose by {counted(move.gained)} a month while “{loser}” fell by "
        f"{counted(move.lost)}, {place}; both together {level}. That fits {counted(move.moved)} a month being "
        f"counted as the one instead of the other ({share_of(min(move.moved, had), had)} of “{loser}”).",
        *why_then(feed, month),
    ]
    if standing == "apart":
        evidence.append("The other areas show no such move.")
    if entry:
        evidence.append(f"The register has it: {entry.name}.")
    return Finding(
        kind=kind, nature=nature, feed=feed.name, series=gainer, whole=panel.parent,
        bridged_parent=panel.parent, areas=areas, month=month, earliest=panel.months[move.earliest],
        latest=panel.months[move.latest], confidence=round(confidence, 2),
        treatment=treatment, evidence=tuple(evidence),
        signals=("sibling_share", *(("peers",) if standing == "together" else ()), *(("known_day",) if eased else ())),
        effect=Effect(
            move.moved, move.moved - 1.96 * move.standard_error, move.moved + 1.96 * move.standard_error,
            _unit(panel, move),
        ),
        classes=(gainer, loser), register_id=entry.register_id if entry else None,
    )  # fmt: skip


def _real_beside(feed: Feed, panel: Panel, move: Move) -> Iterator[Finding]:
    """What is left in single areas when classes that moved are taken together: a real rise or fall, apart."""
    both = panel.counts[:, [move.gainer, move.loser]].sum(axis=1, keepdims=True)
    steps = step_at(both, move.place, restlessness(both))
    if steps is None:
        return
    for row in np.flatnonzero(np.abs(steps.t[:, 0]) >= _REAL_T):
        size, error = float(steps.size[row, 0]), float(steps.standard_error[row, 0])
        month = panel.months[move.place]
        yield Finding(
            kind="real", nature=None, feed=feed.name, series=panel.parent, whole=panel.parent, bridged_parent=None,
            areas=(panel.areas[row],), month=month, earliest=month, latest=month, confidence=0.7, treatment=None,
            evidence=(
                f"Besides, all of it {'rose' if size > 0 else 'fell'} by {counted(size)} a month "
                f"{where(feed, (panel.areas[row],))}, which no move between classes explains.",
            ),
            signals=("level",),
            effect=Effect(size, size - 1.96 * error, size + 1.96 * error, "offences a month"),
        )  # fmt: skip
