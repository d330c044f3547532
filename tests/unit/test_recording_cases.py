"""The detector on simulated cases, a few seeds of those for tuning each; ``benchmarks/recording.py`` has hundreds."""

from __future__ import annotations

import numpy as np
import pytest
from saferkc.recording import Change, KnownChange, examine
from saferkc.recording.detect import MONTHS_OF_A_NIGHT
from saferkc.recording.months import months_apart
from saferkc.simulation.recording_cases import HOME, MAKERS, Case, make_case

SEEDS = range(3)


def found(case: Case, after: int, register: tuple[KnownChange, ...] = ()) -> list[Change]:
    """What is found of the home borough when ``after`` months are there since the change."""
    assert case.month is not None
    length = case.month + after
    changes = examine(case.at(length), register, since=max(12, length - MONTHS_OF_A_NIGHT))
    return [change for change in changes if HOME in change.areas]


def kinds(changes: list[Change]) -> set[str]:
    return {change.lead.kind for change in changes}


def test_the_same_seed_gives_the_same_case_and_another_seed_another() -> None:
    for number in MAKERS:
        one, same, other = (make_case(number, seed).feed.panels[0].counts for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other, equal_nan=True), number


def test_a_recode_moves_offences_and_makes_none() -> None:
    recoded, before = make_case("1b", 5).feed.panels[0], make_case("17", 5).feed.panels[0]
    np.testing.assert_array_equal(recoded.total, before.total)
    assert (recoded.counts[:, 1, 63:] < before.counts[:, 1, 63:]).mean() > 0.99


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", ["1", "1b", "8", "11"])
def test_a_change_of_counting_is_called_recording_in_its_month_with_its_treatment(number: str, seed: int) -> None:
    case = make_case(number, seed)
    assert is_right(case, found(case, 12))


@pytest.mark.parametrize(("number", "least"), [("3", 8), ("14", 8), ("2", 2)])
def test_what_is_small_or_hidden_is_found_in_most_seeds_and_never_called_a_fault(number: str, least: int) -> None:
    cases = [make_case(number, seed) for seed in range(10)]
    changes = [found(case, 12) for case in cases]
    assert sum(is_right(case, said) for case, said in zip(cases, changes, strict=True)) >= least
    assert not any("data_fault" in kinds(said) for said in changes)


def is_right(case: Case, changes: list[Change]) -> bool:
    """Whether recording, or unsure where that will do, is said of the right month, with the right treatment."""
    assert case.month is not None
    leads = [change.lead for change in changes if change.lead.kind in ("recording", *case.allowed)]
    return any(
        abs(months_apart(lead.month, case.feed.months[case.month])) <= 1
        and lead.earliest <= lead.month <= lead.latest
        and (lead.kind == "unsure" or lead.treatment == case.treatment)
        and (lead.treatment != "bridge" or lead.bridged_parent == case.parent)
        for lead in leads
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", ["1", "4"])
def test_new_names_are_seen_on_the_first_night_and_nothing_else_is_said(number: str, seed: int) -> None:
    changes = found(make_case(number, seed), 1)
    assert [change.lead.kind for change in changes] == ["recording"]
    assert changes[0].lead.bridged_parent == "Burglary"


def test_new_names_alone_are_a_rename_until_a_move_between_them_shows() -> None:
    assert {found(make_case("4", seed), 12)[0].lead.nature for seed in SEEDS} == {"rename"}
    assert {found(make_case("1", seed), 12)[0].lead.nature for seed in SEEDS} == {"split"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", ["5", "6", "7", "7b", "16"])
@pytest.mark.parametrize("after", [1, 4, 12])
def test_what_is_real_is_never_called_recording(number: str, seed: int, after: int) -> None:
    assert kinds(found(make_case(number, seed), after)) <= {"real"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ramp_is_a_range_and_not_a_date(seed: int) -> None:
    (change,) = [change for change in found(make_case("9", seed), 30) if change.lead.kind == "recording"]
    assert (change.lead.nature, change.lead.treatment) == ("practice", "note")
    assert months_apart(change.lead.latest, change.lead.earliest) >= 18


@pytest.mark.parametrize("seed", SEEDS)
def test_restated_history_asks_for_a_reload_on_the_first_night(seed: int) -> None:
    changes = [change for change in found(make_case("10", seed), 1) if change.lead.kind == "recording"]
    assert {change.lead.treatment for change in changes} == {"reload"}
    assert {change.lead.nature for change in changes} == {"geography"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("number", ["12", "13", "15", "15b"])
def test_faults_of_deliveries_are_held_on_the_first_night(number: str, seed: int) -> None:
    changes = found(make_case(number, seed), 1)
    assert kinds(changes) == {"data_fault"}
    assert {change.lead.treatment for change in changes} == {"hold"}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incomplete_month_resolves_by_itself(seed: int) -> None:
    assert not found(make_case("12", seed), 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_peers_and_a_date_alone_do_not_make_a_recording_change_and_the_register_does(seed: int) -> None:
    case = make_case("8b", seed)
    assert kinds(found(case, 12)) <= {"unsure", "real"}
    assert case.month is not None
    entry = KnownChange(
        "as_well_2018", "violence", case.feed.months[case.month], None, "counting_rule", "break", "a rule"
    )
    (change,) = [change for change in found(case, 12, (entry,)) if change.lead.kind == "recording"]
    assert change.lead.register_id == "as_well_2018"


def test_a_range_of_years_in_the_register_makes_no_step_in_it_a_recording_change() -> None:
    case = make_case("8b", 0)
    assert case.month is not None
    first, last = case.feed.months[case.month - 24], case.feed.months[case.month + 24]
    entry = KnownChange("integrity", "violence", first, last, "practice", "note", "by and by")
    assert kinds(found(case, 12, (entry,))) == {"unsure"}


def test_evidence_is_sentences_with_numbers_and_without_statistics() -> None:
    for number in ("1", "3", "8", "9", "11", "12", "16"):
        for change in found(make_case(number, 0), 12 if number != "12" else 1):
            for sentence in change.evidence:
                assert sentence[0].isupper() or sentence[0] == "“"
                assert sentence.endswith(".")
                assert not {"sigma", "z-score", "p-value", "chi", "deviation"} & set(sentence.lower().split())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_that_a_night_no_longer_looks_at_leaves_no_echo(seed: int) -> None:
    case = make_case("1b", seed)
    assert case.month is not None
    for since in range(case.month + 2, case.month + 9):
        assert kinds(examine(case.at(since + MONTHS_OF_A_NIGHT), since=since)) <= {"real"}


def test_findings_of_one_cause_are_one_change() -> None:
    changes = [change for change in found(make_case("1", 0), 12) if change.lead.kind == "recording"]
    assert len(changes) == 1
    assert {signal for finding in changes[0].findings for signal in finding.signals} >= {"code_list", "sibling_share"}


def test_silence_where_nothing_happens() -> None:
    for seed in SEEDS:
        case = make_case("17", seed)
        assert kinds(examine(case.feed)) <= {"real"}
