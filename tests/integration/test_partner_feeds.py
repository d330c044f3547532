"""Every partner feed from a small file in the agency's own words to its staging model. All people are made up."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from marts_helpers import NewWarehouse, load_inbox, query, run_dbt
from saferkc.contracts import Contract, load_contracts
from saferkc.publishing import check_deliveries
from saferkc.settings import Settings
from workbooks import workbook

Record = dict[str, Any]
ZOE = {"Forename": "Zoë", "Surname": "O'Hara-Quillfeather", "Date of Birth": "07/02/1985"}
IDENTITIES = [
    "Quillfeather", "QUILLFEATHER", "07/02/1985", "1985-02-07", "Zoë", "7946 0555", "79460555", "217000001", "Nowhere",
    "H-4711",
]  # fmt: skip

OFFENCE = {
    "Crime Reference": "5600001/17", "Record Status": "Live", "Recorded Date": "01/11/2017",
    "Reported Date Time": "29/10/2017 09:00", "Committed From": "29/10/2017 01:30", "Committed To": "",
    "Offence Code": "28/3", "Offence": "Burglary in a dwelling", "Major Class": "Burglary",
    "Minor Class": "Burglary - Residential", "Notifiable": "Y", "Borough": "Kensington and Chelsea",
    "Investigating Borough": "Kensington and Chelsea", "Ward Code": "E05009394", "Ward": "Dalgarno",
    "LSOA Code": "E01002854", "Street": "Barlby Road", "Location Type": "Communal area of a block", "Venue": "",
    "Location UPRN": "217000001", "Location Address": "Flat 3, 12 Nowhere Road", "Location Postcode": "W10 6DZ",
    "Domestic Abuse": "N", "Walk In Entry": "Y", "Vehicle Body Type": "",
}  # fmt: skip
VICTIM = {
    "Crime Reference": "5600001/17", "Victim Number": "1", "Record Status": "Live", "Recorded Date": "01/11/2017",
    "Victim Forename": ZOE["Forename"], "Victim Surname": ZOE["Surname"], "Victim Date of Birth": ZOE["Date of Birth"],
    "Age": "32", "Sex": "F", "Ethnic Appearance": "White European", "Borough of Residence": "Kensington and Chelsea",
    "Relationship to Accused": "Neighbour", "Injury Degree": "None", "Vulnerable Victim": "N",
}  # fmt: skip
ACCUSED = {
    "Crime Reference": "5600001/17", "Accused Number": "1", "Record Status": "Live", "Recorded Date": "01/11/2017",
    "Accused Forename": "Ann", "Accused Surname": "Other", "Accused Date of Birth": "01/01/1970", "Age": "0",
    "Sex": "M", "Ethnic Appearance": "Unknown", "Borough of Residence": "Unknown", "Relationship to Victim": "Stranger",
}  # fmt: skip
OUTCOME = {
    "Crime Reference": "5600001/17", "Outcome Number": "1", "Record Status": "Live", "Accused Number": "1",
    "Outcome Code": "1", "Outcome": "Charged or summonsed", "Sanction Detection": "Y", "Outcome Date": "02/11/2017",
}  # fmt: skip
CALL = {
    "Incident Reference": "77/29OCT17", "Record Status": "Live", "Reported Date Time": "26/03/2017 01:30",
    "ASB Type": "Nuisance", "Ward Code": "E05009394", "Ward": "Dalgarno", "LSOA Code": "E01002854",
    "Location Type": "Street", "Caller Phone": "020 7946 0555", "Location UPRN": "000217000001",
    "Location Address": "12 Nowhere Road", "Location Postcode": "w106dz", "Vulnerable Caller": "Y",
}  # fmt: skip
REFERRAL = {
    "Referral No": "ANG-00001", "Date of Referral": "3 April 2017",
    "Type(s) of Abuse": "Stalking and harassment; Domestic abuse", "Source of Referral": "Self",
    "Repeat Referral": "Yes", "Borough": "Kensington and Chelsea", "Ward": "Dalgarno", "Age": 32, "Gender": "Female",
    "Support Started": date(2017, 4, 10), "Client First Name": "ZOE", "Client Surname": "O'HARA QUILLFEATHER",
    "Date of Birth": date(1985, 2, 7),
}  # fmt: skip
SUPPORT = {
    "Client Ref": "R0001", "Support From": "01.02.2017", "Support To": "ongoing", "Need(s)": "Housing; Sex work",
    "Gender": "Female", "Age Band": "25-34", "Client Name": "Zoë O'Hara-Quillfeather", "D.O.B.": "7 Feb 1985",
}  # fmt: skip
CASE = {
    "CASE_REF": "ASB/17/00001", "CATEGORY": "Noise,Drugs", "PRIORITY": "A", "STAGE": "Investigating",
    "DATE_OPENED": "03/04/2017", "DATE_ASSESSED": "04/04/2017", "DATE_ACTION": "", "DATE_MONITORING": "",
    "DATE_CLOSED": "", "CLOSE_REASON": "", "ESTATE": "Silchester", "WARD_CODE": "E05009399", "WARD": "Notting Dale",
    "UPRN": "217000001", "HOUSE_REF": "H-4711", "COMPLAINANT_NAME": "O'HARA-QUILLFEATHER, Zoe",
    "COMPLAINANT_DOB": "1985-02-07", "SUBJECT_NAME": "", "SUBJECT_DOB": "", "COMPLAINANT_VULNERABLE": "Y",
}  # fmt: skip
ACTION = {
    "actionId": "EA-00001", "status": "active", "service": "Noise", "power": "Noise abatement notice",
    "actionAt": "2017-07-01T23:30:00Z", "taskingId": None,
    "location": {"type": "Dwelling", "wardCode": "E05009394", "lsoaCode": "E01002854", "uprn": 217000001,
                 "address": "12 Nowhere Road", "postcode": "W10 6DZ"},
    "subject": {"type": "person", "name": "Zoe O'Hara-Quillfeather", "dateOfBirth": "1985-02-07"},
    "outcome": {"name": "Penalty paid", "date": "2017-07-09", "penaltyGbp": 80},
}  # fmt: skip


def headings(contract: Contract) -> list[str]:
    """Every heading that the agency sends: of columns, of what becomes tokens, and of what is left out."""
    found: dict[str, None] = {}
    for column in contract.columns:
        parts = column.token.parts if column.token else []
        for place in [column.origin.headings, *(part.headings for part in parts)]:
            if place:
                found[place[0]] = None
    return [*found, *contract.delivery.ignored_headings]


def delimited(contract: Contract, *records: Record) -> bytes:
    content = io.StringIO()
    writer = csv.DictWriter(content, headings(contract), restval="", delimiter=contract.delivery.delimiters[0])
    writer.writeheader()
    writer.writerows(records)
    return content.getvalue().replace("\r\n", "\n").encode()


def sheet(contract: Contract, title: str, *records: Record) -> bytes:
    names = headings(contract)
    rows = [["Simulated: nobody in it exists"], [], names, *([r.get(n) for n in names] for r in records)]
    return workbook({title: [*rows, ["Total", None, None, len(records)]], "Notes": [["kept by hand"]]})


def deliver(settings: Settings, feed: str, name: str, *records: Record) -> None:
    contract = load_contracts(settings.contracts_dir)[feed]
    if contract.delivery.format == "json_lines":
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
    elif contract.delivery.format == "workbook":
        content = sheet(contract, "Referrals" if feed == "angelou_referrals" else "Clients", *records)
    else:
        content = delimited(contract, *records)
    folder = settings.inbox / contract.delivery.source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"simulated_{name}").write_bytes(content)


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse in which every partner feed came twice, and dbt has built and tested its staging models."""
    with new_warehouse(tmp_path_factory.mktemp("partner-feeds"), template_database) as settings:
        deliver(settings, "police_offences", "offences_20171102.csv", OFFENCE,
                OFFENCE | {"Crime Reference": "5600002/17", "Major Class": "Robbery"})  # fmt: skip
        deliver(
            settings, "police_victims", "victims_20171102.csv", VICTIM, VICTIM | {"Victim Number": "2", "Age": "250"}
        )
        deliver(settings, "police_accused", "accused_20171102.csv", ACCUSED)
        deliver(settings, "police_outcomes", "outcomes_20171102.csv", OUTCOME)
        deliver(settings, "police_asb_incidents", "asb_incidents_20171102.csv", CALL)
        deliver(settings, "angelou_referrals", "Angelou referrals 2017-11-02.xlsx", REFERRAL)
        deliver(settings, "rahab_clients", "Rahab clients 2017-10.xlsx", SUPPORT)
        deliver(settings, "tmo_asb_cases", "tmo_asb_cases_20171102.txt", CASE)
        deliver(settings, "council_enforcement_actions", "enforcement_actions_20171102.jsonl", ACTION)
        load_inbox(settings)
        deliver(settings, "police_offences", "offences_20171103.csv",
                OFFENCE | {"Crime Reference": "5600002/17", "Record Status": "Deleted"})  # fmt: skip
        deliver(settings, "tmo_asb_cases", "tmo_asb_cases_20171103.txt",
                CASE | {"CATEGORY": "Drugs, Noise", "STAGE": "Closed", "DATE_CLOSED": "03/11/2017"})  # fmt: skip
        load_inbox(settings)
        partners = [f"path:models/staging/{source}" for source in ("police", "angelou", "rahab", "tmo", "council")]
        assert run_dbt(settings, "--indirect-selection", "cautious", "--select", *partners) == []
        yield settings


def test_every_delivery_is_admitted_and_its_account_adds_up(warehouse: Settings) -> None:
    accounts = query(
        warehouse,
        "select feed, state, rows_in, rows_admitted, rows_unchanged, rows_quarantined, rows_withdrawn, reason"
        " from quality.delivery order by delivery_id",
    )
    assert [a[:7] for a in accounts if a[0] == "police_offences"] == [
        ("police_offences", "admitted", 2, 2, 0, 0, 0),
        ("police_offences", "admitted", 1, 1, 0, 0, 1),
    ]
    assert [a[2:7] for a in accounts if a[0] == "tmo_asb_cases"] == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0)]
    assert next(a[2:6] for a in accounts if a[0] == "police_victims") == (2, 1, 0, 1), "nobody is 250 years old"
    spoilt = query(warehouse, "select feed, line_number, column_name, rule from quality.quarantine")
    assert spoilt == [("police_victims", 3, "age", "range")]
    for account in accounts:
        assert account[1] == "admitted", account
        assert account[2] == sum(account[3:6]), account


def test_the_checks_of_every_delivery_pass(warehouse: Settings) -> None:
    admitted = "select feed, array_agg(delivery_id) from quality.delivery where state = 'admitted' group by feed"
    for feed, ids in query(warehouse, admitted):
        assert check_deliveries(warehouse, feed, ids).reasons == [], feed


def test_what_the_clock_leaves_in_doubt_is_read_and_told(warehouse: Settings) -> None:
    told = "select committed_from_at, committed_from_local_at, is_committed_from_hour_in_doubt from staging.{}"
    ((moment, clock, doubted),) = query(warehouse, told.format("stg_police__offences"))
    assert moment.astimezone(UTC) == datetime(2017, 10, 29, 0, 30, tzinfo=UTC)
    assert (clock, doubted) == (datetime(2017, 10, 29, 1, 30), True)
    # half past one did not exist on the night when the clocks went forward
    called = "select reported_local_at, is_reported_hour_in_doubt from staging.stg_police__asb_incidents"
    assert query(warehouse, called) == [(datetime(2017, 3, 26, 2, 30), False)]
    flags = (
        "select f ->> 'flag', f ->> 'name' from quality.delivery, jsonb_array_elements(flags) as f where feed = '{}'"
    )
    assert ("hour_shown_twice", "committed_from_at") in query(warehouse, flags.format("police_offences"))
    assert ("hour_never_shown", "reported_at") in query(warehouse, flags.format("police_asb_incidents"))
    assert query(warehouse, "select count(*) from quality.alert where dedup_key like 'hour%'") == [(0,)]


def test_only_what_holds_reaches_staging(warehouse: Settings) -> None:
    assert query(warehouse, "select offence_id_police from staging.stg_police__offences") == [("5600001/17",)]
    assert query(warehouse, "select count(*) from raw.police_offences") == [(3,)]
    cases = "select categories, stage_name, closed_date from staging.stg_tmo__asb_cases"
    assert query(warehouse, cases) == [("Drugs|Noise", "Closed", date(2017, 11, 3))]


def test_what_people_type_is_read(warehouse: Settings) -> None:
    referral = "select referred_date, strands, support_from_date, age, is_repeat from staging.stg_angelou__referrals"
    assert query(warehouse, referral) == [
        (date(2017, 4, 3), "Domestic abuse|Stalking and harassment", date(2017, 4, 10), 32, True)
    ]
    support = "select support_from_date, support_to_date, needs from staging.stg_rahab__clients"
    assert query(warehouse, support) == [(date(2017, 2, 1), None, "Housing|Sex work")]
    assert query(warehouse, "select age from staging.stg_police__accused") == [(None,)], "0 is not known"
    action = "select action_local_at, penalty_gbp from staging.stg_council__enforcement_actions"
    assert query(warehouse, action) == [(datetime(2017, 7, 2, 0, 30), 80.0)]


def test_tokens_meet_where_they_should_and_nowhere_else(warehouse: Settings) -> None:
    def token(model: str, column: str) -> str:
        ((found,),) = query(warehouse, f"select {column} from staging.stg_{model}")
        assert isinstance(found, str) and re.fullmatch(r"k1:[0-9a-f]{32}", found), (model, column, found)
        return found

    people = {token("police__victims", "victim_token"), token("council__enforcement_actions", "subject_token")}
    clients = {token("angelou__referrals", "client_token"), token("rahab__clients", "client_token")}
    assert len(people) == 1, "one person, written in two ways"
    assert len(clients) == 1, "one client, written in two ways"
    assert not people & clients, "a survivor's service can't be compared with the police"
    places = ("police__offences", "police__asb_incidents", "tmo__asb_cases", "council__enforcement_actions")
    assert len({token(model, "premises_token") for model in places}) == 1
    assert query(warehouse, "select subject_token from staging.stg_tmo__asb_cases") == [(None,)]


def test_nobody_stands_in_the_warehouse(warehouse: Settings) -> None:
    tables = query(
        warehouse,
        "select format('%I.%I', table_schema, table_name) from information_schema.tables"
        " where table_schema in ('raw', 'quality') and table_type = 'BASE TABLE'",
    )
    for (table,) in tables:
        ((held,),) = query(warehouse, f"select coalesce(string_agg(t::text, ' '), '') from {table} as t")
        assert [word for word in IDENTITIES if word in re.sub(r"[0-9a-f]{32,}", "", held)] == [], table
