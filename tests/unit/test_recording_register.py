"""The register as it stands keeps its rules, and each rule is one that can be broken."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from saferkc.contracts import load_contracts
from saferkc.contracts.labels import fold_label
from saferkc.recording.reading.trees import TREES, Tree
from saferkc.recording.register import Register, breaches, known_changes, read_register

DBT_PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"

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


@pytest.fixture(scope="module")
def labels() -> Rows:
    with (SEEDS / "recording_labels.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# labels of published offences are in dim_offence, and places are wards
OF_LABELS = [tree for tree in TREES if tree.feed != "mps_recorded_crime" and tree.dimension != "place"]


@pytest.mark.parametrize("tree", OF_LABELS, ids=lambda tree: tree.name)
def test_every_label_that_may_be_told_is_one_of_a_class_of_the_marts_or_said_to_be_of_none(
    tree: Tree, labels: Rows
) -> None:
    listed = {(row["whole"], fold_label(row["label"])) for row in labels if row["feed"] == tree.feed}
    wholes = {row["label"] for row in labels if row["feed"] == tree.feed and not row["whole"]}
    told = {(quality.name, quality.name) for quality in tree.qualities} | {(tree.everything, f) for f in tree.flags}
    contract = load_contracts(DBT_PROJECT.parent / "expectations" / "contracts")[tree.feed]
    known = {
        column.name: {value for rule in column.quality for value in rule.valid_values} for column in contract.columns
    }
    if tree.dimension == "flag":
        told |= {(tree.everything, name) for name in known["minor_category"] if not name.startswith("TNO ")}
    elif tree.name == "council_enforcement_actions":
        told |= {("All actions", name) for name in known["service_name"]}
    elif tree.feed == "police_asb_incidents":
        told |= {("All incidents", name) for name in known["asb_type"]}
    elif tree.feed == "angelou_referrals":
        told.add(("All referrals", "*"))
    assert {(whole, fold_label(label)) for whole, label in told} <= listed
    # what else is told is a class of all that the feed counts
    own = {word for word in tree.own_words if word.startswith("All ")} - {"All offences"}
    assert own <= wholes


def test_what_labels_are_counted_by_are_classes_of_the_monthly_marts(labels: Rows, register: Register) -> None:
    series = {regime["series"] for regime in register.regimes} | {"records_by_ward", "offences_by_ward"}
    assert {row["series"] for row in labels} - {""} <= series
    marts = "".join(
        path.read_text() for folder in ("models", "macros") for path in (DBT_PROJECT / folder).rglob("*.sql")
    ) + (SEEDS / "agencies.csv").read_text()  # fmt: skip
    named = {row["class_name"] for row in labels if row["class_name"] and "*" not in row["class_name"]}
    assert named
    # some are shown a second time, without the days of Carnival
    assert [name for name in named if name.removesuffix("_outside_carnival") not in marts] == []
