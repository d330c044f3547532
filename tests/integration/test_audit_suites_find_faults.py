"""Every check of the suites fails on the fault that it is there for, and on good marts none does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from counting_helpers import COUNTING_FAULTS, make_countable
from publishing_helpers import deliver
from saferkc.publishing.checks import Checker
from saferkc.publishing.suites import load_suites
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

BUILD = 7
GOOD = f"""
create schema build_core;
create schema build_asb;
create schema build_burglary;
create table build_core.dim_date as
    select day::date as date, extract(month from day) = 8 and extract(day from day) = 28 as is_carnival_day
    from generate_series(date '2008-01-01', current_date + 400, interval '1 day') as day;
create table build_core.dim_ward as
    select g::bigint as ward_key, 'E09000020' as borough_code, date '2014-05-22' as boundary_valid_from,
        null::date as boundary_valid_to
    from generate_series(1, 18) as g
    union all values (0, null, null::date, null::date), (-1, null, null, null),
        (19, 'E09000020', '2002-05-02', '2014-05-21');
create table build_core.dim_lsoa as select g::bigint as lsoa_key from generate_series(0, 2) as g;
create table build_core.fct_street_crime as
    select (date '2017-03-01' + (g % 2) * interval '1 month')::date as month, true as has_location,
        true as is_simulated, {BUILD}::bigint as build_id
    from generate_series(1, 1200) as g;
create table build_core.fct_stop_search as select true as is_simulated, {BUILD}::bigint as build_id;
create table build_core.fct_recorded_crime_monthly as
    select 'borough' as geography_level, month::date, 3 as offence_count, true as is_simulated,
        {BUILD}::bigint as build_id
    from generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month;
create table build_core.fct_offence as
    select 1::bigint as ward_key, true as is_simulated, {BUILD}::bigint as build_id from generate_series(1, 1200);
create table build_core.fct_offence_victim as select {BUILD}::bigint as build_id;
create table build_core.fct_offence_accused as select {BUILD}::bigint as build_id;
create table build_core.fct_offence_outcome as select {BUILD}::bigint as build_id;
create table build_core.fct_asb_incident as select {BUILD}::bigint as build_id;
create table build_core.fct_asb_case as select {BUILD}::bigint as build_id;
create table build_core.fct_enforcement_action as select {BUILD}::bigint as build_id;
create table build_core.fct_vawg_referral as select {BUILD}::bigint as build_id;
create table build_core.fct_support_period as select {BUILD}::bigint as build_id;
create table build_asb.asb_monthly as
    select 'ward' as geography_type, 'E0500000' || area as geography_code, month::date, asb_class,
        calls as records_as_recorded
    from generate_series(1, 2) as area,
        generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month,
        (values ('police_all', 6), ('police_personal', 1), ('police_nuisance', 2), ('police_environmental', 3),
            ('council_all', 9), ('council_noise', 4), ('community_police_team', 5)) as classes (asb_class, calls);
create table build_burglary.burglary_monthly as
    with areas as (
        select 'borough' as geography_type, 'E090000' || to_char(g, 'FM00') as geography_code,
            'E090000' || to_char(g, 'FM00') as borough_code, 1 as factor
        from generate_series(1, 32) as g
        union all values ('london', 'E12000007', null, 33), ('ward', 'E05000001', 'E09000001', 1)
    )
    select areas.*, month::date, burglary_class, factor * offences as offences_as_recorded,
        'comparable' as comparability, {BUILD}::bigint as build_id
    from areas
    cross join generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month
    cross join (values ('residential', 2), ('business_and_community', 1), ('all', 3)) as c (burglary_class, offences);
create schema build_partnership;
create table build_partnership.total_offences_monthly as
    select areas.*, month::date, offence_class, factor * offences as offences_as_recorded, {BUILD}::bigint as build_id
    from (values ('borough', 'E09000020', 'E09000020', 3), ('ward', 'E05009388', 'E09000020', 1),
        ('ward', 'E05009389', 'E09000020', 2)) as areas (geography_type, geography_code, borough_code, factor)
    cross join generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month
    cross join (values ('all', 50), ('without_fraud', 49)) as classes (offence_class, offences);
create table build_partnership.ward_profile as
    select 'E09000020' as borough_code, '2016/17' as financial_year, 0.05 as share_of_borough_offences
    from generate_series(1, 18);
create table build_partnership.plan_figure as
    select 'figure_' || g as figure_id, 'reproduced' as status, 'Computed 1; the plan prints 1.' as reason
    from generate_series(1, 159) as g;
create table build_burglary.burglary_financial_year as select 12 as months_covered, {BUILD}::bigint as build_id;
create table build_burglary.burglary_police_monthly as
    select geography_type, geography_code, 'E09000020' as borough_code, date '2017-03-01' as month, burglary_class,
        n as offences_as_recorded, n as offences_old_definition, n as offences_new_definition,
        0 as offences_of_class_not_known
    from (values ('borough', 'E09000020'), ('ward', 'E05009389')) as areas (geography_type, geography_code),
        (values ('residential', 2), ('business_and_community', 1), ('all', 3)) as c (burglary_class, n);
create schema build_mopac_local;
create table build_mopac_local.mopac_local_monthly as
    select geography_type, geography_code, 'E09000020' as borough_code, month::date, offence_class,
        n as offences_as_recorded
    from (values ('borough', 'E09000020'), ('ward', 'E05009389')) as areas (geography_type, geography_code),
        generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month,
        (values ('violence_with_injury', 9), ('non_domestic_violence_with_injury', 7),
            ('non_domestic_violence_with_injury_without_carnival', 6),
            ('non_domestic_violence_with_injury_hate_crime', 1), ('theft_from_motor_vehicle', 20)
        ) as classes (offence_class, n);
create table build_mopac_local.violence_with_injury_by_hour as
    select 'E09000020' as borough_code, '2016/17' as financial_year, weekday as weekday_number, hour as hour_of_day
    from generate_series(1, 7) as weekday, generate_series(0, 23) as hour;
create table build_mopac_local.mopac_local_london_monthly as
    select geography_type, date '2017-03-01' as month, 'theft_from_motor_vehicle' as offence_class,
        n as offences_as_recorded
    from (values ('borough', 4), ('borough', 5), ('london', 9), ('ward', 3)) as areas (geography_type, n);
create schema build_vawg;
create table build_vawg.vawg_monthly as
    select geography_type, geography_code, 'E09000020' as borough_code, date '2017-03-01' as month, vawg_class,
        n as offences_as_recorded
    from (values ('borough', 'E09000020'), ('ward', 'E05009389')) as areas (geography_type, geography_code),
        (values ('domestic_abuse', 9), ('domestic_abuse_sexual_offences', 2), ('sexual_offences', 5), ('rape', 2),
            ('honour_based', 1), ('harmful_practices', 1)) as classes (vawg_class, n);
create table build_vawg.vawg_repeat_victim_monthly as select 60 as victim_count, 6 as victims_not_identified_count;
create schema build_hate_crime;
create table build_hate_crime.hate_crime_monthly as
    select geography_type, geography_code, 'E09000020' as borough_code, date '2017-03-01' as month, hate_crime_class,
        n as offences_as_recorded
    from (values ('borough', 'E09000020', 'hate_crime', 9), ('borough', 'E09000020', 'harassment', 5),
        ('borough', 'E09000020', 'strand_race', 7), ('borough', 'E09000020', 'strand_faith', 3),
        ('ward', 'E05009389', 'hate_crime', 9)) as areas (geography_type, geography_code, hate_crime_class, n);
create schema build_serious_youth_violence;
create table build_serious_youth_violence.serious_youth_violence_monthly as
    select geography_type, geography_code, 'E09000020' as borough_code, date '2017-03-01' as month, violence_class,
        n as offences_as_recorded
    from (values ('borough', 'E09000020'), ('ward', 'E05009389')) as areas (geography_type, geography_code),
        (values ('knife_injury', 9), ('knife_injury_outside_carnival', 4), ('firearm', 5), ('gun_robbery', 2)
        ) as classes (violence_class, n);
create table build_vawg.vawg_london_monthly as
    select geography_type, date '2017-03-01' as month, 'x' as vawg_class, 'x' as hate_crime_class,
        'x' as violence_class, n as flagged_offences_as_recorded
    from (values ('borough', 4), ('borough', 5), ('london', 9)) as areas (geography_type, n);
create table build_hate_crime.hate_crime_london_monthly as select * from build_vawg.vawg_london_monthly;
create table build_serious_youth_violence.serious_youth_violence_london_monthly as
    select * from build_vawg.vawg_london_monthly;
"""
RAW = """
insert into raw.police_open_street (delivery_id, line_number, row_hash, occurrence, month)
select {id}, g, gen_random_uuid(), 1, '2017-03-01' from generate_series(1, 1200) as g;
insert into raw.police_open_stop_search (delivery_id, line_number, row_hash, occurrence, period)
values ({id}, 1, gen_random_uuid(), 1, '2017-03-01');
insert into raw.mps_recorded_crime
    (delivery_id, line_number, record_key, row_hash, occurrence, month, geography_level, offence_count)
select {id}, 1, gen_random_uuid(), gen_random_uuid(), 1, month, 'borough', 3
from generate_series(date '2017-03-01', date '2017-05-01', interval '1 month') as month;
"""

# what deliveries brought to facts that are checked against the accounts
BROUGHT = {
    "police_offences": 1200, "police_victims": 1, "police_accused": 1, "police_outcomes": 1, "police_asb_incidents": 1,
    "tmo_asb_cases": 1, "council_enforcement_actions": 1, "angelou_referrals": 1, "rahab_clients": 1,
}  # fmt: skip
SERVICES = ("fct_asb_incident", "fct_asb_case", "fct_enforcement_action", "fct_vawg_referral", "fct_support_period")

STREET, SEARCH = "build_core.fct_street_crime", "build_core.fct_stop_search"
RECORDED, MONTHLY = "build_core.fct_recorded_crime_monthly", "build_burglary.burglary_monthly"
ASB = "build_asb.asb_monthly"
TOTAL = "build_partnership.total_offences_monthly"
VAWG, HATE = "build_vawg.vawg_monthly", "build_hate_crime.hate_crime_monthly"
YOUTH = "build_serious_youth_violence.serious_youth_violence_monthly"
POLICE, LOCAL = "build_burglary.burglary_police_monthly", "build_mopac_local.mopac_local_monthly"
FAULTS = {
    ("dim_date", "the calendar reaches a month past today"): (
        "delete from build_core.dim_date where date > current_date + 20"
    ),
    ("dim_date", "Carnival is in the calendar"): "update build_core.dim_date set is_carnival_day = false",
    ("dim_ward", "the borough has its 18 wards"): "delete from build_core.dim_ward where ward_key = 5",
    ("dim_ward", "not known and not applicable are there"): "delete from build_core.dim_ward where ward_key = -1",
    ("dim_lsoa", "not known is there"): "delete from build_core.dim_lsoa where lsoa_key = 0",
    ("fct_street_crime", "no record is lost or doubled"): f"insert into {STREET} select * from {STREET} limit 1",
    ("fct_street_crime", "no later build wrote here"): f"update {STREET} set build_id = {BUILD + 1}",
    ("fct_street_crime", "simulated and real records are apart"): (
        f"update {STREET} set is_simulated = false where month = '2017-03-01'"
    ),
    ("fct_street_crime", "most records have a place"): (
        f"update {STREET} set has_location = false where month = '2017-03-01'"
    ),
    ("fct_street_crime", "months follow each other"): (
        f"update {STREET} set month = '2017-05-01' where month = '2017-04-01'"
    ),
    ("fct_stop_search", "no record is lost or doubled"): f"delete from {SEARCH}",
    ("fct_stop_search", "no later build wrote here"): f"update {SEARCH} set build_id = {BUILD + 1}",
    ("fct_stop_search", "simulated and real records are apart"): f"insert into {SEARCH} values (false, {BUILD})",
    ("fct_recorded_crime_monthly", "London's totals are those of the files"): (
        f"update {RECORDED} set offence_count = 4 where month = '2017-04-01'"
    ),
    ("fct_recorded_crime_monthly", "counts are not negative"): (
        f"update {RECORDED} set offence_count = -1 where month = '2017-04-01'"
    ),
    ("fct_recorded_crime_monthly", "no later build wrote here"): f"update {RECORDED} set build_id = {BUILD + 1}",
    ("fct_recorded_crime_monthly", "simulated and real records are apart"): (
        f"update {RECORDED} set is_simulated = false where month = '2017-04-01'"
    ),
    ("fct_recorded_crime_monthly", "months follow each other"): f"delete from {RECORDED} where month = '2017-04-01'",
    ("fct_offence", "every record of the deliveries is in it once"): (
        "insert into build_core.fct_offence select * from build_core.fct_offence limit 1"
    ),
    ("fct_offence", "no later build wrote here"): f"update build_core.fct_offence set build_id = {BUILD + 1}",
    ("fct_offence", "simulated and real records are apart"): (
        f"insert into build_core.fct_offence values (1, false, {BUILD})"
    ),
    ("fct_offence", "most offences have a ward"): "update build_core.fct_offence set ward_key = 0",
    ("fct_offence_victim", "every record of the deliveries is in it once"): "delete from build_core.fct_offence_victim",
    ("fct_offence_victim", "no later build wrote here"): (
        f"update build_core.fct_offence_victim set build_id = {BUILD + 1}"
    ),
    ("fct_offence_accused", "every record of the deliveries is in it once"): (
        "delete from build_core.fct_offence_accused"
    ),
    ("fct_offence_accused", "no later build wrote here"): (
        f"update build_core.fct_offence_accused set build_id = {BUILD + 1}"
    ),
    ("fct_offence_outcome", "every record of the deliveries is in it once"): (
        "delete from build_core.fct_offence_outcome"
    ),
    ("fct_offence_outcome", "no later build wrote here"): (
        f"update build_core.fct_offence_outcome set build_id = {BUILD + 1}"
    ),
    **{
        (fact, "every record of the deliveries is in it once"): f"insert into build_core.{fact} values ({BUILD})"
        for fact in SERVICES
    },
    **{
        (fact, "no later build wrote here"): f"update build_core.{fact} set build_id = {BUILD + 1}" for fact in SERVICES
    },
    ("asb_monthly", "the three types make up all calls"): (
        f"update {ASB} set records_as_recorded = 7 where asb_class = 'police_all' and month = '2017-04-01'"
    ),
    ("asb_monthly", "services make up all actions of the council"): (
        f"update {ASB} set records_as_recorded = 5 where asb_class = 'council_noise' and month = '2017-04-01'"
    ),
    ("asb_monthly", "every month has every area"): (
        f"delete from {ASB} where geography_code = 'E05000001' and month = '2017-04-01'"
    ),
    ("total_offences_monthly", "without fraud there is no more than with it"): (
        f"update {TOTAL} set offences_as_recorded = 9999 where offence_class = 'without_fraud'"
    ),
    ("total_offences_monthly", "wards add up to no more than their borough"): (
        f"update {TOTAL} set offences_as_recorded = 101 where geography_code = 'E05009389' and month = '2017-04-01'"
    ),
    ("total_offences_monthly", "most offences lie in a ward"): (
        f"delete from {TOTAL} where geography_code = 'E05009389' and month = '2017-04-01'"
    ),
    ("total_offences_monthly", "every row is of this build"): f"update {TOTAL} set build_id = {BUILD - 1}",
    ("ward_profile", "shares of wards are of one borough"): (
        "update build_partnership.ward_profile set share_of_borough_offences = 0.06"
    ),
    ("plan_figure", "every figure of the plan is judged"): (
        "delete from build_partnership.plan_figure where figure_id = 'figure_7'"
    ),
    ("plan_figure", "every figure has its reason"): (
        "update build_partnership.plan_figure set reason = null where figure_id = 'figure_7'"
    ),
    ("burglary_monthly", "the two classes make up all burglary"): (
        f"update {MONTHLY} set offences_as_recorded = 100 where burglary_class = 'all' and geography_type = 'london'"
    ),
    ("burglary_monthly", "all burglary is no less than its classes"): (
        f"update {MONTHLY} set offences_as_recorded = 2 where burglary_class = 'all' and geography_type = 'ward'"
    ),
    ("burglary_monthly", "London is its boroughs and the airports"): (
        f"update {MONTHLY} set offences_as_recorded = 31 where burglary_class <> 'all' and geography_type = 'london'"
    ),
    ("burglary_monthly", "every month has 32 boroughs"): (
        f"delete from {MONTHLY} where month = '2017-04-01' and geography_code = 'E09000032'"
    ),
    ("burglary_monthly", "wards add up to no more than their borough"): (
        f"update {MONTHLY} set offences_as_recorded = 50 where geography_type = 'ward'"
    ),
    ("burglary_monthly", "every row says whether it may be compared"): (
        f"update {MONTHLY} set comparability = 'perhaps' where month = '2017-04-01'"
    ),
    ("burglary_monthly", "every row is of this build"): f"update {MONTHLY} set build_id = {BUILD - 1}",
    ("burglary_monthly", "months follow each other"): f"delete from {MONTHLY} where month = '2017-04-01'",
    ("burglary_financial_year", "no year has more than twelve months"): (
        "update build_burglary.burglary_financial_year set months_covered = 13"
    ),
    ("burglary_financial_year", "every row is of this build"): (
        f"update build_burglary.burglary_financial_year set build_id = {BUILD - 1}"
    ),
    ("burglary_police_monthly", "no definition has more burglaries than there are"): (
        f"update {POLICE} set offences_new_definition = 3 where burglary_class = 'residential'"
    ),
    ("burglary_police_monthly", "every burglary has a class under both definitions"): (
        f"update {POLICE} set offences_of_class_not_known = 1 where burglary_class = 'residential'"
    ),
    ("burglary_police_monthly", "wards add up to no more than their borough"): (
        f"update {POLICE} set offences_as_recorded = 4 where geography_type = 'ward' and burglary_class = 'all'"
    ),
    ("mopac_local_monthly", "no class is larger than the one that it lies in"): (
        f"update {LOCAL} set offences_as_recorded = 8 where offence_class like '%carnival'"
    ),
    ("mopac_local_monthly", "wards add up to no more than their borough"): (
        f"update {LOCAL} set offences_as_recorded = 21 where geography_type = 'ward' and offence_class like 'theft%'"
    ),
    ("mopac_local_monthly", "every month has every area"): (
        f"delete from {LOCAL} where geography_type = 'ward' and month = '2017-04-01'"
    ),
    ("violence_with_injury_by_hour", "every year has every hour of the week"): (
        "delete from build_mopac_local.violence_with_injury_by_hour where weekday_number = 3 and hour_of_day = 4"
    ),
    ("mopac_local_london_monthly", "boroughs add up to no more than London"): (
        "update build_mopac_local.mopac_local_london_monthly set offences_as_recorded = 8"
        " where geography_type = 'london'"
    ),
    ("vawg_monthly", "no class is larger than the one that it lies in"): (
        f"update {VAWG} set offences_as_recorded = 6 where vawg_class = 'rape'"
    ),
    ("vawg_monthly", "wards add up to no more than their borough"): (
        f"update {VAWG} set offences_as_recorded = 10 where geography_type = 'ward' and vawg_class = 'domestic_abuse'"
    ),
    ("vawg_repeat_victim_monthly", "most victims are named"): (
        "update build_vawg.vawg_repeat_victim_monthly set victims_not_identified_count = 7"
    ),
    ("hate_crime_monthly", "no class or strand is larger than all hate crime"): (
        f"update {HATE} set offences_as_recorded = 10 where hate_crime_class = 'strand_race'"
    ),
    ("hate_crime_monthly", "every hate crime has a strand"): (
        f"update {HATE} set offences_as_recorded = 1 where hate_crime_class = 'strand_faith'"
    ),
    ("hate_crime_monthly", "wards add up to no more than their borough"): (
        f"update {HATE} set offences_as_recorded = 10 where geography_type = 'ward'"
    ),
    ("serious_youth_violence_monthly", "no class is larger than the one that it lies in"): (
        f"update {YOUTH} set offences_as_recorded = 10 where violence_class like '%carnival'"
    ),
    ("serious_youth_violence_monthly", "wards add up to no more than their borough"): (
        f"update {YOUTH} set offences_as_recorded = 6 where geography_type = 'ward' and violence_class = 'firearm'"
    ),
    **{
        (f"{subject}_london_monthly", "boroughs add up to no more than London"): (
            f"update build_{subject}.{subject}_london_monthly set flagged_offences_as_recorded = 8"
            " where geography_type = 'london'"
        )
        for subject in ("vawg", "hate_crime", "serious_youth_violence")
    },
    **COUNTING_FAULTS,
}


@pytest.fixture
def marts(settings: Settings) -> Iterator[Settings]:
    with connect(settings) as connection:
        delivery_id = deliver(connection, rows=1204)
        for feed, rows in BROUGHT.items():
            deliver(connection, feed, rows)
        connection.execute(GOOD.encode())
        make_countable(connection)
        connection.execute(RAW.replace("{id}", str(delivery_id)).encode())
    yield settings


def failures(settings: Settings, only: str | None = None) -> set[tuple[str, str]]:
    """The checks that fail, as (table, check); ``only`` of one table."""
    found = set()
    with Checker(settings) as checker:
        for suite in load_suites(settings.suites_dir):
            for table in suite.tables:
                if only not in (None, table.table):
                    continue
                checks = [check.check(BUILD) for check in table.checks]
                result = checker.run(suite.schema_name, f"build_{suite.schema_name}", table.table, checks)
                assert not any(outcome.could_not_run for outcome in result.outcomes), result.failed
                found |= {(table.table, outcome.check.name) for outcome in result.failed}
    return found


def test_good_marts_pass(marts: Settings) -> None:
    assert failures(marts) == set()


def test_each_check_of_the_suites_has_its_fault_here(settings: Settings) -> None:
    checks = {
        (table.table, check.name)
        for suite in load_suites(settings.suites_dir)
        for table in suite.tables
        for check in table.checks
    }
    assert checks == set(FAULTS)


@pytest.mark.parametrize("check", FAULTS, ids=": ".join)
def test_a_check_finds_its_fault(marts: Settings, check: tuple[str, str]) -> None:
    with connect(marts) as connection:
        connection.execute(FAULTS[check].encode())
    assert check in failures(marts, check[0])
