"""Domestic abuse, hate crime and youth violence in their marts are what the delivered files say, in every grain.

The files are read with pandas, which shares no code with the marts.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from conftest import PlanWarehouse
from delivered_files import Delivered
from marts_helpers import query

CARNIVAL = {date(2016, 8, 28), date(2016, 8, 29)}
STRANDS = {
    "Hate Race": "strand_race", "Hate Faith": "strand_faith", "Hate Homophobic": "strand_sexual_orientation",
    "Hate Transgender": "strand_transgender", "Hate Disability": "strand_disability",
}  # fmt: skip
MONTHS = pd.period_range("2016-04", "2017-03", freq="M")


def flagged(records: pd.DataFrame, heading: str) -> pd.Series:
    return records[heading] == "Y"


def by_month(records: pd.DataFrame) -> dict[date, int]:
    """How many were recorded in each month of the plan's year."""
    counts = records["recorded"].dt.to_period("M").value_counts().reindex(MONTHS, fill_value=0)
    return {month.start_time.date(): int(count) for month, count in counts.items()}


def monthly(warehouse: PlanWarehouse, subject: str, column: str, name: str) -> dict[date, int]:
    """The same as the borough's rows of a monthly mart say."""
    rows = query(
        warehouse.settings,
        f"select month, offences_as_recorded from build_{subject}.{subject}_monthly where geography_type = 'borough'"
        f" and {column} = '{name}' and month between '2016-04-01' and '2017-03-01'",
    )
    return dict(rows)


def test_domestic_abuse_of_every_month_and_ward_is_that_of_the_files(
    plan_warehouse: PlanWarehouse, delivered: Delivered
) -> None:
    domestic = delivered.offences[flagged(delivered.offences, "Domestic Abuse")]
    assert monthly(plan_warehouse, "vawg", "vawg_class", "domestic_abuse") == by_month(domestic)
    of_year = domestic[domestic["recorded"].between("2016-04-01", "2017-03-31")]
    wards = query(
        plan_warehouse.settings,
        "select ward_code, sum(offences_as_recorded)::integer from build_vawg.vawg_monthly"
        " where geography_type = 'ward' and vawg_class = 'domestic_abuse' and financial_year = '2016/17' group by 1",
    )
    assert dict(wards) == of_year["Ward Code"].value_counts().to_dict()
    assert len(wards) == 18


def test_repeat_victims_are_those_with_a_crime_in_the_twelve_months_before(
    plan_warehouse: PlanWarehouse, delivered: Delivered
) -> None:
    victims = delivered.victims
    rows = query(
        plan_warehouse.settings,
        "select month, victim_count, repeat_victims_as_recorded, repeat_victims_of_domestic_abuse_count"
        " from build_vawg.vawg_repeat_victim_monthly where month between '2007-04-01' and '2017-11-01'",
    )
    domestic = flagged(victims, "Domestic Abuse")
    for month, *found in rows:
        first = pd.Timestamp(month)
        now = set(victims[domestic & victims["recorded"].between(first, first + pd.offsets.MonthEnd(0))]["person"])
        before = victims["recorded"].between(first - pd.DateOffset(years=1), first - timedelta(days=1))
        earlier = set(victims[before]["person"])
        of_domestic = set(victims[before & domestic]["person"])
        assert found == [len(now), len(now & earlier), len(now & of_domestic)], month
    assert len(rows) == 128
    first_year = query(
        plan_warehouse.settings,
        "select count(*), count(repeat_victims_as_recorded) from build_vawg.vawg_repeat_victim_monthly"
        " where month < '2007-04-01'",
    )
    assert first_year == [(12, 0)]


@pytest.mark.parametrize("heading", STRANDS)
def test_a_hate_crime_counts_in_each_of_its_strands(
    plan_warehouse: PlanWarehouse, delivered: Delivered, heading: str
) -> None:
    of_strand = delivered.offences[flagged(delivered.offences, heading)]
    found = monthly(plan_warehouse, "hate_crime", "hate_crime_class", STRANDS[heading])
    assert found == by_month(of_strand)


def test_youth_violence_is_by_the_boroughs_own_definition_with_carnival_and_without(
    plan_warehouse: PlanWarehouse, delivered: Delivered
) -> None:
    young = {
        reference
        for people in (delivered.victims, delivered.accused)
        for reference in people[people["age"] <= 25]["Crime Reference"]
    }
    crimes = delivered.offences
    violent = crimes["Offence Code"].isin(["1", "5A"])
    for heading in ("Knife Used", "Knife Threatened", "Firearm"):
        violent |= flagged(crimes, heading)
    own = crimes[violent & ~flagged(crimes, "Domestic Abuse") & crimes["Crime Reference"].isin(young)]
    found = monthly(plan_warehouse, "serious_youth_violence", "violence_class", "serious_youth_violence")
    assert found == by_month(own)
    outside = own[~own["committed"].dt.date.isin(CARNIVAL)]
    name = "serious_youth_violence_outside_carnival"
    found_outside = monthly(plan_warehouse, "serious_youth_violence", "violence_class", name)
    assert found_outside == by_month(outside)
    assert found_outside[date(2016, 8, 1)] < found[date(2016, 8, 1)]


@pytest.mark.parametrize(
    ("subject", "chosen", "heading", "year"),
    [
        ("vawg", " and vawg_class = 'domestic_abuse'", "Domestic Abuse", 2015),
        ("hate_crime", "", "hate", 2013),
    ],
)
def test_people_of_any_year_are_told_apart_as_in_the_files(
    plan_warehouse: PlanWarehouse, delivered: Delivered, subject: str, chosen: str, heading: str, year: int
) -> None:
    for role, people in (("victim", delivered.victims), ("accused", delivered.accused)):
        of_subject = people[heading] if heading == "hate" else flagged(people, heading)
        own = people[of_subject & people["recorded"].between(f"{year}-04-01", f"{year + 1}-03-31")]
        rows = query(
            plan_warehouse.settings,
            "select characteristic, characteristic_value, people_count, different_people_count, mean_age"
            f" from build_{subject}.{subject}_people_financial_year"
            f" where financial_year = '{year}/{(year + 1) % 100}' and role = '{role}'{chosen}",
        )
        found = {(characteristic, value): tuple(rest) for characteristic, value, *rest in rows}
        people_count, different, mean_age = found["all", "All"]
        assert (people_count, different) == (len(own), own["person"].nunique())
        assert float(mean_age) == pytest.approx(own["age"].mean(), abs=1e-6)
        sexes = own["Sex"].map({"M": "Male", "F": "Female", "U": "Not known"}).value_counts().to_dict()
        assert {value: counts[0] for (what, value), counts in found.items() if what == "sex"} == sexes
        lives = own["lives in"].value_counts().to_dict()
        assert {value: counts[0] for (what, value), counts in found.items() if what == "residence"} == lives


def test_every_detection_is_in_a_year_of_its_offence_and_in_a_year_of_its_outcome(
    plan_warehouse: PlanWarehouse, delivered: Delivered
) -> None:
    outcomes = delivered.outcomes[flagged(delivered.outcomes, "Sanction Detection")]
    first = outcomes.groupby("Crime Reference")["day"].min().rename("detected")
    sexual = delivered.offences[delivered.offences["Major Class"] == "Sexual Offences"]
    detected = sexual.merge(first, on="Crime Reference", how="inner")
    rows = query(
        plan_warehouse.settings,
        "select financial_year, sexual_offences_sanction_detections_by_offence_date,"
        " sexual_offences_sanction_detections_by_outcome_date from build_vawg.vawg_financial_year",
    )
    years = {"by_offence": detected["recorded"], "by_outcome": detected["detected"]}
    expected = {name: (days - pd.DateOffset(months=3)).dt.year.value_counts().to_dict() for name, days in years.items()}
    for financial_year, by_offence, by_outcome in rows:
        year = int(financial_year[:4])
        assert by_offence == expected["by_offence"].get(year, 0), financial_year
        assert by_outcome == expected["by_outcome"].get(year, 0), financial_year
    assert expected["by_offence"] != expected["by_outcome"]
