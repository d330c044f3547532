"""Each signal on its own: codes, moves between classes, faults, vintages, rates, ramps, prompts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from saferkc.recording import Feed, Panel, Rate, examine
from saferkc.recording.codes import code_events, joined, likeness
from saferkc.recording.faults import find_faults
from saferkc.recording.levels import find_ramp
from saferkc.recording.prompts import pelt_changes, xmr_signals, z_score_signals
from saferkc.recording.rates import find_rate_steps
from saferkc.recording.series import Floats
from saferkc.recording.shares import moves, scan
from saferkc.recording.vintages import find_restatement

MONTHS = 60


def months(count: int = MONTHS) -> tuple[date, ...]:
    return tuple(date(2012 + number // 12, number % 12 + 1, 1) for number in range(count))


def panel(classes: dict[str, Floats], areas: tuple[str, ...] = ("here",), parent: str = "Burglary") -> Panel:
    counts = np.stack([np.broadcast_to(values, (len(areas), len(values))) for values in classes.values()], axis=1)
    return Panel("feed", parent, areas, tuple(classes), months(counts.shape[2]), counts.astype(float))


def level(mean: float, seed: int, count: int = MONTHS) -> Floats:
    return np.random.default_rng(seed).poisson(mean, count).astype(float)


def switched(values: Floats, place: int) -> tuple[Floats, Floats]:
    """The same series under an old code until ``place`` and under a new one from then on."""
    before = np.arange(len(values)) < place
    return np.where(before, values, 0.0), np.where(before, 0.0, values)


# --- code list -------------------------------------------------------------------------------------------------


# with a single year before it as well
@pytest.mark.parametrize("place", [12, 40])
def test_names_that_come_for_others_at_their_level_are_renames_and_series_go_on(place: int) -> None:
    old, new = switched(level(80, 1), place)
    other, business = switched(level(50, 2), place)
    given = panel({"Dwelling": old, "Other building": other, "Residential": new, "Business": business})
    (event,) = code_events(given)
    assert event.place == place
    assert set(event.renames) == {("Dwelling", "Residential"), ("Other building", "Business")}
    whole = joined(given, [event])
    assert whole.children == ("Residential", "Business")
    np.testing.assert_array_equal(whole.counts[0, 0], level(80, 1))


def test_classes_that_are_drawn_anew_are_a_merge_and_no_renames() -> None:
    old = [switched(level(mean, seed), 40)[0] for mean, seed in ((80, 1), (60, 2), (50, 3))]
    new = switched(level(190, 4), 40)[1]
    given = panel({"Common assault": old[0], "Harassment": old[1], "Wounding": old[2], "Without injury": new})
    (event,) = code_events(given)
    assert event.renames == ()
    (change,) = [change for change in examine(Feed("feed", (given,))) if change.lead.kind != "real"]
    assert (change.lead.nature, change.lead.treatment) == ("merge", "bridge")


def test_a_new_code_is_seen_on_its_first_night() -> None:
    scooters = np.zeros(MONTHS)
    scooters[-1] = 2
    given = Feed("feed", (panel({"Theft": level(80, 1), "Other": level(50, 2), "Scooter theft": scooters}),))
    (change,) = examine(given)
    assert (change.lead.kind, change.lead.series, change.lead.month) == ("recording", "Scooter theft", months()[-1])
    assert "never used before" in change.evidence[0]


def test_a_code_that_was_listed_before_its_first_use_is_no_news() -> None:
    rare = np.zeros(MONTHS)
    rare[-1] = 1
    given = replace(panel({"Theft": level(80, 1), "Treason": rare}), listed=frozenset({"Treason"}))
    assert not examine(Feed("feed", (given,)))


def test_a_code_that_a_sibling_gave_birth_to_is_a_split_over_their_whole() -> None:
    child = np.where(np.arange(MONTHS) >= 50, 40.0, 0.0)
    mother = level(100, 3) - child
    given = panel({"Harassment": mother, "Assault": level(90, 4), "Stalking": child}, parent="Violence")
    (change,) = examine(Feed("feed", (given,)))
    assert (change.lead.nature, change.lead.treatment, change.lead.bridged_parent) == ("split", "bridge", "Violence")


def test_a_new_code_that_no_sibling_pays_for_widens_the_scope() -> None:
    child = np.where(np.arange(MONTHS) >= 50, 40.0, 0.0)
    given = panel({"Harassment": level(100, 3), "Assault": level(90, 4), "Malicious": child}, parent="Violence")
    (change,) = [c for c in examine(Feed("feed", (given,))) if c.lead.kind == "recording"]
    assert (change.lead.nature, change.lead.treatment, change.lead.bridged_parent) == ("scope", "break", None)


def test_a_class_that_vanishes_is_found_though_it_fades_over_a_month_and_leaves_a_remnant() -> None:
    fraud = level(100, 5)
    fraud[44], fraud[45:] = 13, 0
    fraud[55] = 1
    given = panel({"Counted per victim": fraud, "Other fraud": level(60, 6)}, parent="Fraud")
    (event,) = code_events(given)
    assert event.died == ("Counted per victim",)
    assert (event.place, event.faded) == (45, 44)


def test_a_rare_class_that_pauses_has_not_died() -> None:
    rare = np.zeros(MONTHS)
    rare[::7] = 1
    rare[50:] = 0
    assert not code_events(panel({"Theft": level(80, 1), "Rare": rare}))


def test_a_code_mistyped_is_a_fault_and_neither_a_birth_nor_a_death() -> None:
    slip = np.zeros(MONTHS)
    slip[50] = 3
    given = panel({"Theft from motor vehicle": level(150, 1), "Theft from motor vehcile": slip, "Other": level(60, 2)})
    (change,) = examine(Feed("feed", (given,)))
    assert (change.lead.kind, change.lead.month, change.lead.treatment) == ("data_fault", months()[50], "hold")


def test_likeness_looks_through_capitals_and_punctuation() -> None:
    assert likeness("Other violence", "Other Violence") == 1
    assert likeness("Theft from shops", "Murder") < 0.5


# --- moves between classes ---------------------------------------------------------------------------------------


def moved(share: float, count: int = MONTHS, at: int = 48, seed: int = 1) -> Floats:
    chance = np.random.default_rng(seed)
    a, b = chance.poisson(80, count), chance.poisson(50, count)
    gone = np.where(np.arange(count) >= at, chance.binomial(b, share), 0)
    return np.stack([a + gone, b - gone])[None].astype(float)


def best_margin(counts: Floats) -> float:
    found = scan(counts, 40)
    assert found is not None
    return float(found.margins.max())


def test_a_move_is_found_with_its_month_its_size_and_its_classes() -> None:
    found = scan(moved(0.5), 40)
    assert found is not None
    best = next(moves(found, np.full((20, 1), 12.0)))
    assert (best.gainer, best.loser) == (0, 1)
    assert abs(best.place - 48) <= 1
    assert best.earliest <= 48 <= best.latest
    assert abs(best.moved - 25) < 2.5 * best.standard_error


def test_a_rise_of_one_class_is_no_move_however_large() -> None:
    margins = []
    for seed in range(40):
        chance = np.random.default_rng(seed)
        a, b = chance.poisson(80, MONTHS), chance.poisson(50, MONTHS)
        a[48:] = chance.poisson(140, MONTHS - 48)
        margins.append(best_margin(np.stack([a, b])[None].astype(float)))
    assert max(margins) < 8.5, "not even worth a question"


def test_a_fall_of_all_classes_is_no_move() -> None:
    chance = np.random.default_rng(3)
    factor = np.where(np.arange(MONTHS) >= 48, 0.6, 1.0)
    assert best_margin(chance.poisson(np.array([[80.0], [50.0]]) * factor)[None].astype(float)) < 8.5


def test_a_move_gets_surer_with_months() -> None:
    early = np.mean([best_margin(moved(0.3, 50, seed=seed)) for seed in range(20)])
    late = np.mean([best_margin(moved(0.3, 58, seed=seed)) for seed in range(20)])
    assert late > early + 3


# --- faults and vintages -------------------------------------------------------------------------------------------


def classes(areas: int = 1, count: int = MONTHS, seed: int = 0) -> Panel:
    mean = np.array([80, 50, 120, 150, 110])[None, :, None]
    counts = np.random.default_rng(seed).poisson(mean, (areas, 5, count)).astype(float)
    names = tuple(f"Class {number}" for number in range(5))
    return Panel("feed", "All", tuple(f"area {n}" for n in range(areas)), names, months(count), counts)


@pytest.mark.parametrize("seed", range(5))
def test_a_newest_month_that_lacks_a_part_of_every_class_is_incomplete(seed: int) -> None:
    given = classes(seed=seed)
    given.counts[:, :, -1] = np.floor(0.55 * given.counts[:, :, -1])
    (fault,) = find_faults([given], 48)
    assert (fault.kind, fault.first) == ("incomplete", MONTHS - 1)
    assert fault.factor == pytest.approx(0.55, abs=0.06)


def test_the_same_month_is_no_fault_once_another_came_after_it() -> None:
    given = classes()
    given.counts[:, :, -2] = np.floor(0.55 * given.counts[:, :, -2])
    assert not find_faults([given], 48)


def test_classes_that_fall_by_different_factors_fall_in_truth() -> None:
    given = classes()
    given.counts[0, :, -1] = np.round(given.counts[0, :, -1] * np.array([0.3, 0.9, 0.5, 0.75, 0.5]))
    assert not find_faults([given], 48)


def test_a_delivery_loaded_twice_is_seen_and_so_are_months_without_any() -> None:
    given = classes(areas=2)
    given.counts[:, :, 50] *= 2
    given.counts[1, :, 54:56] = 0
    faults = {(fault.kind, fault.rows, fault.first, fault.last) for fault in find_faults([given], 40)}
    assert faults == {("loaded_twice", (0, 1), 50, 50), ("missing", (1,), 54, 55)}


def test_a_fault_silences_what_its_month_seems_to_show() -> None:
    given = classes()
    given.counts[:, :, -1] = np.floor(0.3 * given.counts[:, :, -1])
    found = examine(Feed("feed", (given,)))
    assert [change.lead.kind for change in found] == ["data_fault"]
    assert "not all there yet" in found[0].evidence[0]


def test_a_month_that_another_feed_lacks_as_well_is_no_fault() -> None:
    given = classes()
    given.counts[:, :, -1] = np.floor(0.5 * given.counts[:, :, -1])
    sister = level(300, 9)
    sister[-1] = 140
    found = examine(Feed("feed", (given,), sisters={"All": ("Ambulance", sister[None])}))
    assert not [change for change in found if change.lead.kind == "data_fault"]


def test_offences_moved_between_areas_in_all_of_history_are_a_restatement() -> None:
    earlier = classes(areas=3, count=48)
    current = replace(earlier, counts=earlier.counts.copy())
    gone = np.floor(0.1 * current.counts[0])
    current.counts[0] -= gone
    current.counts[1] += gone
    found = find_restatement(earlier, current)
    assert found is not None
    assert found.moved_between_areas
    assert 0 in found.rows
    assert 2 not in found.rows


def test_late_records_of_the_newest_months_are_no_restatement() -> None:
    earlier = classes(count=48)
    current = replace(earlier, counts=earlier.counts.copy())
    current.counts[:, :, -4:] *= 1.1
    assert find_restatement(earlier, current) is None


def test_a_class_that_was_restated_while_its_whole_is_as_it_was_is_a_revision_by_class() -> None:
    earlier = panel(
        {"Dwelling": level(80, 1, 48), "Shed": level(40, 2, 48), "Shop": level(30, 3, 48)}, ("here", "there")
    )
    current = replace(earlier, counts=earlier.counts.copy())
    moved = np.floor(0.3 * current.counts[0, 1])
    current.counts[0, 1] -= moved
    current.counts[0, 0] += moved
    found = find_restatement(earlier, current)
    assert found is not None
    assert (found.rows, set(found.classes)) == ((0,), {"Dwelling", "Shed"})
    assert (found.first, found.last) == (0, 41)

    given = Feed("feed", (current,), earlier=(earlier,))
    (change,) = [change for change in examine(given) if "vintages" in change.lead.signals]
    lead = change.lead
    assert (lead.kind, lead.nature, lead.treatment, lead.bridged_parent) == (
        "recording", "revision", "reload", "Burglary",
    )  # fmt: skip
    assert (lead.areas, set(lead.classes), lead.series in lead.classes) == (("here",), {"Dwelling", "Shed"}, True)
    assert "Burglary as a whole is as it was" in " ".join(lead.evidence)


def test_names_cast_back_over_history_and_single_corrections_are_no_revision_by_class() -> None:
    old, new = switched(level(80, 1, 48), 30)
    earlier = panel({"Dwelling": old, "Residential": new, "Shop": level(30, 3, 48)})
    cast_back = panel({"Residential": level(80, 1, 48), "Shop": level(30, 3, 48)})
    assert find_restatement(earlier, cast_back) is None
    renamed = panel({"Home": old, "Home, new": new, "Shop": level(30, 3, 48)})
    assert find_restatement(earlier, renamed) is None
    corrected = replace(cast_back, counts=cast_back.counts.copy())
    corrected.counts[0, 1, ::3] -= 1
    corrected.counts[0, 0, ::3] += 1
    assert find_restatement(cast_back, corrected) is None


# --- rates, ramps, prompts -------------------------------------------------------------------------------------------


def test_a_step_in_empty_fields_is_seen_and_more_records_are_none() -> None:
    chance = np.random.default_rng(0)
    records = np.where(np.arange(MONTHS) < 40, 1000.0, 1600.0)
    share = np.where(np.arange(MONTHS) < 50, 0.04, 0.12)
    stepping = Rate(
        "records without x", "system", chance.binomial(records.astype(int), share)[None] * 1.0, records[None]
    )
    steady = replace(stepping, having=chance.binomial(records.astype(int), 0.04)[None] * 1.0)
    assert [step.place for step in find_rate_steps((stepping,), 24)] == [50]
    assert not find_rate_steps((steady,), 24)


def test_a_ramp_against_another_feed_is_a_range_and_a_step_is_none() -> None:
    chance = np.random.default_rng(1)
    number = np.arange(72)
    truth = 400 * (1 + 0.1 * np.cos(number / 12 * 2 * np.pi))
    sister = chance.poisson(truth).astype(float)
    ramp = find_ramp(chance.poisson(truth * np.interp(number, [46, 70], [1, 1.5])).astype(float), sister)
    assert ramp is not None
    assert 40 <= ramp.first <= 52
    assert ramp.low < 0.5 < ramp.high + 0.15
    stepped = chance.poisson(truth * np.where(number >= 54, 1.5, 1.0)).astype(float)
    assert find_ramp(stepped, sister) is None
    assert find_ramp(chance.poisson(truth).astype(float), sister) is None


def test_prompts_fire_on_a_real_fall() -> None:
    values = np.append(level(100, 1, 40), level(60, 2, 20))
    assert any(month >= 40 for month in xmr_signals(values))
    assert z_score_signals(values)
    assert any(abs(month - 40) <= 1 for month in pelt_changes(values))
    assert not [month for month in xmr_signals(values) if month < 12], "limits from fewer than 12 points are on trial"


def flags_that_step(rate: bool) -> Feed:
    """Two flags that rise in nine areas at once, with or without a step in how records are captured."""
    chance = np.random.default_rng(2)
    base = chance.poisson(1000, (9, MONTHS)).astype(float)
    share = np.where(np.arange(MONTHS) >= 50, 0.3, 0.2)
    counts = np.stack([chance.binomial(base.astype(int), share), chance.binomial(base.astype(int), share)], axis=1)
    areas = tuple(f"area {n}" for n in range(9))
    flags = Panel("feed", "All", areas, ("Knife", "Gun"), months(), counts.astype(float), "flag", base=base)
    empty = np.where(np.arange(MONTHS) >= 50, 0.15, 0.05) * base
    return Feed("feed", (flags,), rates=(Rate("records without x", "system", empty, base),) if rate else ())


def test_flags_that_step_together_may_do_so_in_truth() -> None:
    assert {change.lead.kind for change in examine(flags_that_step(rate=False))} <= {"real"}


def test_flags_that_step_while_records_are_captured_otherwise_are_a_recording_change() -> None:
    (change,) = examine(flags_that_step(rate=True))
    assert (change.lead.kind, change.lead.nature, change.lead.treatment) == ("recording", "system", "break")
    assert change.lead.month == months()[50]


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    seed=st.integers(0, 10_000),
    areas=st.integers(1, 5),
    count=st.integers(1, 40),
    children=st.integers(1, 4),
    mean=st.sampled_from([0.0, 0.2, 3.0, 60.0]),
    lost=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_any_counts_give_changes_of_their_own_months_and_areas(
    seed: int, areas: int, count: int, children: int, mean: float, lost: float
) -> None:
    chance = np.random.default_rng(seed)
    counts = chance.poisson(mean, (areas, children, count)).astype(float)
    counts[chance.random((areas, children, count)) < lost] = np.nan
    names = tuple(f"Class {number}" for number in range(children))
    given_panel = Panel("feed", "All", tuple(f"area {n}" for n in range(areas)), names, months(count), counts)
    for change in examine(Feed("feed", (given_panel,))):
        for finding in change.findings:
            assert finding.earliest <= finding.month <= finding.latest or finding.kind == "data_fault"
            assert {finding.month, finding.earliest, finding.latest} <= set(given_panel.months)
            assert set(finding.areas) <= set(given_panel.areas)
            assert 0 <= finding.confidence <= 1
            assert finding.effect is None or finding.effect.low <= finding.effect.estimate <= finding.effect.high
            assert finding.treatment != "bridge" or finding.bridged_parent


def test_a_category_that_is_renamed_with_all_its_classes_is_one_rename() -> None:
    burglary = panel({"Dwelling": level(80, 1), "Other": level(50, 2)})
    drugs, offences = switched(level(90, 3), 40)
    dealing, trafficking = switched(level(30, 4), 40)
    old = panel({"Possession Of Drugs": drugs, "Drug Dealing": dealing}, parent="Drugs")
    new = panel({"Possession of  Drugs": offences, "Drug Trafficking": trafficking}, parent="Drug Offences")
    changes = [change for change in examine(Feed("feed", (burglary, old, new))) if change.lead.kind != "real"]
    assert {(change.lead.kind, change.lead.nature, change.lead.month) for change in changes} == {
        ("recording", "rename", months()[40])
    }
    assert changes[0].lead.bridged_parent in ("All offences", "Drug Offences")


def test_a_category_that_ends_is_one_change_and_its_classes_are_part_of_it() -> None:
    burglary = panel({"Dwelling": level(80, 1), "Other": level(50, 2)})
    ended = np.arange(MONTHS) < 45
    fraud = panel({"Per victim": level(60, 3) * ended, "Other fraud": level(40, 4) * ended}, parent="Fraud")
    (change,) = [c for c in examine(Feed("feed", (burglary, fraud))) if c.lead.kind != "real"]
    assert (change.lead.nature, change.lead.treatment, change.lead.month) == ("scope", "break", months()[45])
