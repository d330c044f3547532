"""Every admitted record that stands is in its fact once, and totals agree from the delivery to the financial year."""

from __future__ import annotations

import pytest
from conftest import PlanWarehouse
from delivered_files import Delivered
from marts_helpers import query

# fact: the feed whose records it holds, and what names a record
FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fct_offence": ("police_offences", ("offence_id_police",)),
    "fct_offence_victim": ("police_victims", ("offence_id_police", "victim_number")),
    "fct_offence_accused": ("police_accused", ("offence_id_police", "accused_number")),
    "fct_offence_outcome": ("police_outcomes", ("offence_id_police", "outcome_number")),
    "fct_asb_incident": ("police_asb_incidents", ("incident_id_police",)),
    "fct_asb_case": ("tmo_asb_cases", ("case_id_tmo",)),
    "fct_enforcement_action": ("council_enforcement_actions", ("action_id_council",)),
    "fct_vawg_referral": ("angelou_referrals", ("referral_id_angelou",)),
    "fct_support_period": ("rahab_clients", ("client_id_rahab", "support_from_date")),
}
PARTS = ("fct_offence_victim", "fct_offence_accused", "fct_offence_outcome")


def number(warehouse: PlanWarehouse, statement: str) -> int:
    return int(query(warehouse.settings, statement)[0][0] or 0)


@pytest.mark.parametrize("fact", FACTS)
def test_every_record_that_stands_is_in_its_fact_once_and_no_other_is(plan_warehouse: PlanWarehouse, fact: str) -> None:
    feed, key = FACTS[fact]
    columns = ", ".join(key)
    counted = query(
        plan_warehouse.settings,
        f"""
        with stands as (select {columns} from raw.{feed} where withdrawn_delivery_id is null),
        held as (select {columns}, count(*) as times from build_core.{fact} group by {columns})
        select count(*), count(held.times) filter (where held.times = 1), count(*) filter (where held.times > 1),
            count(*) filter (where stands.{key[0]} is null), count(*) filter (where held.{key[0]} is null)
        from stands full join held using ({columns})
        """,
    )[0]
    records, once, *_ = counted
    assert records > 500
    assert counted == (records, once, 0, 0, 0)
    assert once == records


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_holds_what_each_delivery_brought_and_no_later_one_ended(
    plan_warehouse: PlanWarehouse, fact: str
) -> None:
    feed, _ = FACTS[fact]
    rows = query(
        plan_warehouse.settings,
        f"""
        select delivery.delivery_id,
            delivery.rows_admitted
            - (select count(*) from raw.{feed} as r
               where r.delivery_id = delivery.delivery_id and r.withdrawn_delivery_id is not null),
            (select count(*) from build_core.{fact} as f where f.delivery_id = delivery.delivery_id)
        from quality.delivery as delivery where delivery.feed = '{feed}' and delivery.state = 'admitted'
        """,
    )
    assert len(rows) > 1
    assert {delivery: held for delivery, _, held in rows} == {delivery: brought for delivery, brought, _ in rows}


def test_facts_hold_as_many_as_stand_in_the_files(plan_warehouse: PlanWarehouse, delivered: Delivered) -> None:
    from_files = {
        "fct_offence": len(delivered.offences),
        "fct_offence_victim": len(delivered.victims),
        "fct_offence_accused": len(delivered.accused),
        "fct_offence_outcome": len(delivered.outcomes),
        "fct_asb_incident": len(delivered.calls),
        "fct_asb_case": len(delivered.cases),
        "fct_enforcement_action": len(delivered.actions),
        "fct_vawg_referral": len(delivered.referrals),
        "fct_support_period": len(delivered.support),
    }
    # people whose offence does not stand are in the fact and in no figure
    held = {
        fact: number(
            plan_warehouse,
            f"select count(*) from build_core.{fact}"
            + (" where is_offence_held" if fact in ("fct_offence_victim", "fct_offence_accused") else ""),
        )
        for fact in from_files
    }
    assert held == from_files


@pytest.mark.parametrize("fact", PARTS)
def test_people_and_outcomes_are_counted_in_the_month_and_place_of_their_offence(
    plan_warehouse: PlanWarehouse, fact: str
) -> None:
    told_otherwise = number(
        plan_warehouse,
        f"""
        select count(*) from build_core.{fact} as part
        inner join build_core.fct_offence as offence using (recorded_offence_key)
        where (part.month, part.offence_key, part.borough_key, part.ward_key, part.is_domestic_abuse,
               part.is_hate_crime, part.is_knife_used)
            is distinct from (offence.month, offence.offence_key, offence.borough_key, offence.ward_key,
               offence.is_domestic_abuse, offence.is_hate_crime, offence.is_knife_used)
        """,
    )
    assert told_otherwise == 0
    held = number(plan_warehouse, f"select count(*) from build_core.{fact} where is_offence_held")
    joined = number(
        plan_warehouse,
        f"select count(*) from build_core.{fact} inner join build_core.fct_offence using (offence_id_police)",
    )
    assert held == joined > 1000


# what is counted: its months, class of them and column; its years and column; and the fact with what it counts
GRAINS: dict[str, tuple[str, str, str, str, str, str]] = {
    "all offences": (
        "partnership.total_offences_monthly", "offence_class = 'all'", "offences_as_recorded",
        "partnership.total_offences_financial_year", "offence_count", "core.fct_offence where is_notifiable",
    ),
    "domestic abuse": (
        "vawg.vawg_monthly", "vawg_class = 'domestic_abuse'", "offences_as_recorded",
        "vawg.vawg_financial_year", "domestic_abuse_offence_count", "core.fct_offence where is_domestic_abuse",
    ),
    "hate crime": (
        "hate_crime.hate_crime_monthly", "hate_crime_class = 'hate_crime'", "offences_as_recorded",
        "hate_crime.hate_crime_financial_year", "hate_crime_offence_count", "core.fct_offence where is_hate_crime",
    ),
    "firearm offences": (
        "serious_youth_violence.serious_youth_violence_monthly", "violence_class = 'firearm'", "offences_as_recorded",
        "serious_youth_violence.serious_youth_violence_financial_year", "firearm_offence_count",
        "core.fct_offence where is_firearm",
    ),
    "calls": (
        "asb.asb_monthly", "asb_class = 'police_all'", "records_as_recorded",
        "asb.asb_financial_year", "asb_reports", "core.fct_asb_incident",
    ),
}  # fmt: skip


@pytest.mark.parametrize("counted", GRAINS)
def test_a_year_is_the_sum_of_its_months_and_of_its_records(plan_warehouse: PlanWarehouse, counted: str) -> None:
    months, of_class, value, years, column, fact = GRAINS[counted]

    def by_year(statement: str) -> dict[str, int]:
        return dict(query(plan_warehouse.settings, statement))  # type: ignore[arg-type]

    of_years = by_year(f"select financial_year, {column} from build_{years} where borough_code = 'E09000020'")
    of_months = by_year(
        f"""
        select financial_year, sum({value}) from build_{months}
        where geography_type = 'borough' and {of_class} group by financial_year
        """
    )
    of_wards = by_year(
        f"""
        select financial_year, sum({value}) from build_{months}
        where geography_type = 'ward' and {of_class} group by financial_year
        """
    )
    of_records = by_year(
        f"""
        select dates.financial_year, count(*) from (select * from build_{fact}) as fact
        inner join build_core.dim_date as dates on fact.month = dates.date group by dates.financial_year
        """
    )
    assert len(of_records) > 10
    assert of_months == of_records
    # of a ward firearm offences are not shown; every simulated record has its ward
    assert of_wards in (of_records, {})
    assert {year: of_years[year] for year in of_records if of_years[year] is not None} == {
        year: count for year, count in of_records.items() if of_years[year] is not None
    }
    assert of_years["2016/17"] == of_records["2016/17"]


def test_the_monthly_counts_that_marts_are_summed_from_hold_every_offence(plan_warehouse: PlanWarehouse) -> None:
    differing = number(
        plan_warehouse,
        """
        select count(*) from
            (select month, borough_key, ward_key, offence_key, sum(offence_count) as n
             from intermediate.int_offences__monthly group by 1, 2, 3, 4) as monthly
        full join
            (select month, borough_key, ward_key, offence_key, count(*) as n
             from build_core.fct_offence group by 1, 2, 3, 4) as fact
        using (month, borough_key, ward_key, offence_key)
        where monthly.n is distinct from fact.n
        """,
    )
    assert differing == 0
