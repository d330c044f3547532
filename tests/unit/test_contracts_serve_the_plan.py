"""Every figure of the Community Safety Plan finds in the contracts what it is counted from."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest
from saferkc.contracts import load_contracts

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = load_contracts(PROJECT / "expectations" / "contracts")
DATA = Path(os.environ.get("SAFERKC_REAL_DATA") or PROJECT.parent / "shared" / "data")
FIGURES = DATA.parent / "plan" / "plan_figures.csv"

OFFENCES = ["police_offences.recorded_date", "police_offences.major_class", "police_offences.minor_class"]
DOMESTIC = [*OFFENCES, "police_offences.is_domestic_abuse"]
KNIFE = [*DOMESTIC, "police_offences.is_knife_used", "police_offences.is_injury"]
HATE = [f"police_offences.is_hate_{s}" for s in ("race", "faith", "sexual_orientation", "transgender", "disability")]
DETECTED = [
    "police_outcomes.is_sanction_detection",
    "police_outcomes.outcome_date",
    "police_outcomes.offence_id_police",
]
PLACE = ["police_offences.ward_code", "police_offences.location_type"]
PERSON = ["sex_code", "age", "ethnic_appearance", "residence_borough_name", "offence_id_police"]
VICTIMS = ["police_victims.victim_token", *(f"police_victims.{name}" for name in PERSON)]
ACCUSED = ["police_accused.accused_token", *(f"police_accused.{name}" for name in PERSON)]
KNOWN = ["police_accused.relationship_to_victim"]
ANGELOU = ["angelou_referrals.referral_id_angelou", "angelou_referrals.referred_date", "angelou_referrals.borough_name"]
CALLS = ["police_asb_incidents.incident_id_police", "police_asb_incidents.reported_at"]
NO_FEED: list[str] = []

# figures (a regular expression for the whole id) and what they are counted from; the first that fits holds
NEEDS: list[tuple[str, list[str]]] = [
    (r"area_sq_miles|owl_members|cpt_officers|mopac_.*|burglary_concern", NO_FEED),  # said by the plan alone
    (r"vawg_da_repeat_rank|asb_rank|tfmv_rate_rank|.*_london", ["mps_recorded_crime.borough_name"]),
    (r"population|lsoa_.*", ["reference_lsoa_population.lsoa_code", "reference_deprivation.lsoa_code"]),
    (r"crime_ward_.*", [*OFFENCES, "police_offences.is_notifiable", "police_offences.ward_code"]),
    (r"crime_.*", [*OFFENCES, "police_offences.is_notifiable"]),
    (r"vawg_da_repeat_victims", [*DOMESTIC, "police_offences.reported_at", *VICTIMS]),
    (r"vawg_da_accused_.*", [*DOMESTIC, *ACCUSED, *KNOWN]),
    (r"vawg_.*detection", [*DOMESTIC, *DETECTED]),
    (r"vawg_.*", DOMESTIC),
    (r"angelou_repeat_.*", [*ANGELOU, "angelou_referrals.is_repeat"]),
    (r"angelou_male_victims", [*ANGELOU, "angelou_referrals.sex_name", "angelou_referrals.support_from_date"]),
    (r"angelou_exploitation_.*", [*ANGELOU, "angelou_referrals.strands", "angelou_referrals.support_from_date"]),
    (r"angelou_.*", [*ANGELOU, "angelou_referrals.strands"]),
    (r"rahab_.*", [f"rahab_clients.{n}" for n in ("client_token", "needs", "support_from_date", "support_to_date")]),
    (r"police_trafficking.*", [*OFFENCES, "police_offences.offence_code"]),
    (r"police_hbv", [*OFFENCES, "police_offences.is_honour_based"]),
    (r"police_fgm", [*OFFENCES, "police_offences.is_female_genital_mutilation"]),
    (r"burglary_.*walk_in", [*OFFENCES, "police_offences.is_walk_in_entry"]),
    (r"burglary_detection", [*OFFENCES, *DETECTED]),
    (r"burglary_accused_.*", [*OFFENCES, *ACCUSED]),
    (r"burglary_.*", [*OFFENCES, "police_offences.location_type"]),
    (r"syv_stabbing_carnival", [*KNIFE, "police_offences.committed_from_at", *VICTIMS]),
    (r"syv_stabbing_.*", [*KNIFE, *VICTIMS, "police_victims.injury_degree"]),
    (r"syv_knife_threat_.*", [*DOMESTIC, "police_offences.is_knife_threatened", *VICTIMS]),
    (r"syv_knife_injury_.*", [*KNIFE, *DETECTED]),
    (r"syv_victims_.*", [*DOMESTIC, *VICTIMS]),
    (r"syv_accused_.*", [*DOMESTIC, *ACCUSED]),
    (r"syv_firearm", [*OFFENCES, "police_offences.is_firearm"]),
    (r"syv_firearm_shots", [*OFFENCES, "police_offences.is_shots_fired"]),
    (r"syv_robbery_knife_injury", KNIFE),
    (r"syv_robbery_gun", [*OFFENCES, "police_offences.is_firearm"]),
    (r"syv_robbery_phone", [*OFFENCES, "police_offences.is_mobile_phone_taken"]),
    (r"asb_repeat_callers.*", [*CALLS, "police_asb_incidents.caller_token"]),
    (r"asb_.*", [*CALLS, "police_asb_incidents.asb_type"]),
    (r"hate_charged", [*HATE, *ACCUSED, "police_outcomes.accused_number", "police_outcomes.outcome_code"]),
    (r"hate_known_.*", [*HATE, *ACCUSED, *KNOWN, "police_outcomes.accused_number"]),
    (r"hate_accused_.*", [*HATE, *ACCUSED]),
    (r"hate_victims_.*", [*HATE, *VICTIMS]),
    (r"hate_serious_injury_share", [*HATE, *VICTIMS, "police_victims.injury_degree"]),
    (r"hate_.*", [*HATE, *OFFENCES]),
    (r"vwi_(st_charles|chelsea_westminster)", [*DOMESTIC, "police_offences.venue_name"]),
    (r"vwi_victims_.*", [*DOMESTIC, *VICTIMS]),
    (r"vwi_hate.*", [*DOMESTIC, *HATE]),
    (r"vwi_.*", [*DOMESTIC, *PLACE, "police_offences.committed_from_at"]),
    (r"tfmv_detection", [*OFFENCES, *DETECTED]),
    (r"tfmv_accused.*", [*OFFENCES, *ACCUSED]),
    (r"tfmv_vehicle_.*", [*OFFENCES, "police_offences.vehicle_body_type"]),
    (r"tfmv_.*", [*OFFENCES, *PLACE]),
]  # fmt: skip


def needs(figure: str) -> list[str] | None:
    return next((columns for pattern, columns in NEEDS if re.fullmatch(pattern, figure)), None)


@pytest.mark.parametrize("place", sorted({column for _, columns in NEEDS for column in columns}))
def test_what_a_figure_is_counted_from_is_in_its_contract(place: str) -> None:
    feed, name = place.split(".")
    assert CONTRACTS[feed].column(name).description


@pytest.mark.skipif(not FIGURES.is_file(), reason=f"the plan's figures are not at {FIGURES}")
def test_no_figure_of_the_plan_is_forgotten() -> None:
    with FIGURES.open(encoding="utf-8") as lines:
        figures = [row["figure_id"] for row in csv.DictReader(lines)]
    assert len(figures) > 150
    assert [figure for figure in figures if needs(figure) is None] == []


@pytest.mark.parametrize(
    "columns",
    [
        # the plan's text: repeat and vulnerable victims and locations, problem solving, enforcement, tasking
        ["police_victims.is_vulnerable", "police_asb_incidents.is_vulnerable_caller", "police_offences.premises_token"],
        ["tmo_asb_cases.is_vulnerable_complainant", "tmo_asb_cases.complainant_token", "tmo_asb_cases.premises_token"],
        ["tmo_asb_cases.categories", "tmo_asb_cases.priority_code", "tmo_asb_cases.stage_name"],
        ["tmo_asb_cases.closing_reason", "tmo_asb_cases.estate_name", "tmo_asb_cases.subject_token"],
        ["tmo_asb_cases.opened_date", "tmo_asb_cases.action_date", "tmo_asb_cases.closed_date"],
        ["council_enforcement_actions.service_name", "council_enforcement_actions.power_used"],
        ["council_enforcement_actions.tasking_id_council", "council_enforcement_actions.premises_token"],
        ["council_enforcement_actions.location_type", "council_enforcement_actions.outcome_name"],
        ["police_offences.street_name", "police_offences.committed_to_at", "police_offences.is_forced_marriage"],
    ],
)  # fmt: skip
def test_what_the_plans_text_asks_for_is_in_the_contracts(columns: list[str]) -> None:
    for place in columns:
        feed, name = place.split(".")
        assert CONTRACTS[feed].column(name).description
