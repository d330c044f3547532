"""The register as it stands keeps its rules, and each rule is one that can be broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from saferkc.recording.register import Register, breaches, known_changes, read_register

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def register() -> Register:
    return read_register(SEEDS)


def test_the_register_keeps_its_rules(register: Register) -> None:
    assert register.changes
    assert breaches(register) == []


def test_the_burglary_change_is_bridged_over_all_burglary_and_is_no_other_series_business(register: Register) -> None:
    (entry,) = [known for known in known_changes(register) if known.register_id == "burglary_2017"]
    assert (entry.series, entry.start, entry.treatment, entry.nature) == (
        "burglary", date(2017, 4, 1), "bridge", "split",
    )  # fmt: skip


def test_what_came_by_and_by_has_an_end(register: Register) -> None:
    ramp = [known for known in known_changes(register) if known.register_id == "crime_data_integrity"]
    assert {known.to for known in ramp} == {date(2018, 12, 31)}
    assert {known.treatment for known in ramp} == {"note"}


def row(code: str, **values: str) -> Callable[[Rows], Rows]:
    """Change the rows of a change's code."""
    return lambda rows: [r | values if r["change_code"] == code else r for r in rows]


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        ("changes", row("burglary_2017", nature="mystery"), "burglary_2017: nature is 'mystery'"),
        ("changes", row("burglary_2017", unsafe_to_say=""), "burglary_2017: unsafe_to_say is empty"),
        ("changes", row("burglary_2017", effective_to="2018-01-01"), "a range, and only a range, has an end"),
        ("changes", row("burglary_2017", effective_from="2017-05-01"), "is of another series or day"),
        ("changes", row("burglary_2017", authority_grade="C"), "has another grade"),
        ("changes", row("burglary_residential_2023", effective_from="2017-04-01"), "burglary: burglary_2017 and"),
        ("changes", lambda rows: [*rows, rows[0]], "stands twice in recording_changes"),
        ("changes", lambda rows: rows[1:], "and not in recording_changes"),
        ("series", row("burglary_2017", parent_series=""), "bridged, but over which parent is not said"),
        ("series", row("wards_2014", treatment_of_parent="", treatment_of_children=""), "no treatment is given"),
        ("series", row("wards_2014", treatment_of_parent="mend"), "treatment 'mend' is unknown"),
        ("series", row("burglary_2017", regime_code="nothing"), "there is no regime nothing"),
        ("series", row("burglary_2017", treatment_of_parent="break"), "stands in the regime as well"),
        ("series", lambda rows: [r for r in rows if r["change_code"] != "burglary_2017"], "concerns no series"),
        ("series", lambda rows: [r for r in rows if r["regime_code"] != "burglary_from_2017_04"], "begins without"),
        ("code_maps", row("burglary_2017", weight="0.4"), "the weights of other_building add up to 0.8"),
        ("code_maps", row("burglary_2017", weight_low="0.9"), "is not so"),
        ("code_maps", row("burglary_2017", weight_basis="guess"), "weight_basis is 'guess'"),
    ],
)
def test_a_broken_rule_is_named(register: Register, part: str, change: Callable[[Rows], Rows], says: str) -> None:
    broken = replace(register, **{part: change(list(getattr(register, part)))})  # type: ignore[arg-type]
    assert any(says in breach for breach in breaches(broken)), breaches(broken)


def test_a_note_may_lie_over_other_changes(register: Register) -> None:
    assert {"crime_data_integrity", "stalking_2014"} <= {
        r["change_code"] for r in register.series if r["series"] == "violence"
    }
    assert not [breach for breach in breaches(register) if "overlap" in breach]


def test_an_entry_that_was_withdrawn_is_not_known_to_the_detector(register: Register) -> None:
    changes = row("burglary_2017", status="withdrawn")(list(register.changes))  # type: ignore[arg-type]
    known = known_changes(replace(register, changes=changes))
    assert not [entry for entry in known if entry.register_id == "burglary_2017"]
