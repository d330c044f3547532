"""Documents as people send them, from the inbox to raw: every record accounted for, or the whole refused with a reason.

All people in them are made up, and called Nevershown.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from loading_helpers import Delivery, alerts, deliver, deliveries, drop, load, one, query, wipe
from pysequoia import Tsk, encrypt
from saferkc.landing import replay
from saferkc.landing.store import open_landed
from saferkc.loading import load_arrivals, reader
from saferkc.settings import Settings
from workbooks import locked, rewritten, workbook

NAME = "Nevershown"
VICTIMS, CASES, ACTIONS, REFERRALS = (
    "police_victims",
    "tmo_asb_cases",
    "council_enforcement_actions",
    "angelou_referrals",
)


@pytest.fixture(scope="module")
def shared_warehouse(
    new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """One database for the whole module: emptying it is quicker than making another."""
    with new_warehouse(tmp_path_factory.mktemp("documents"), template_database) as own:
        yield own


@pytest.fixture
def settings(shared_warehouse: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a new home with an empty warehouse, in which no name may stand at the end of a test."""
    wipe(shared_warehouse)
    own = dataclasses.replace(shared_warehouse, home=tmp_path / "home")
    own.remember(**shared_warehouse.runtime())
    yield own
    assert_no_name(own)


def assert_no_name(settings: Settings) -> None:
    """Nothing that the warehouse says of these deliveries holds a name."""
    tables = ["quality.delivery", "quality.quarantine", "quality.alert", "quality.arrival", "quality.landed_file"]
    for table in [*tables, *(f"raw.{feed}" for feed in (VICTIMS, CASES, ACTIONS, REFERRALS))]:
        assert not query(settings, f"select t::text from {table} as t where t::text ilike %s", f"%{NAME}%"), table


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets an Airflow connection, or takes it away."""

    def set_connection(name: str, **values: Any) -> None:
        variable = f"AIRFLOW_CONN_{name.upper()}"
        if values:
            monkeypatch.setenv(variable, json.dumps({"conn_type": "generic"} | values))
        else:
            monkeypatch.delenv(variable, raising=False)

    return set_connection


def account(delivery: Delivery) -> tuple[Any, ...]:
    """State, and rows in, admitted, unchanged and quarantined; every test's deliver() sees that they add up."""
    return delivery.state, *delivery.counts[:4]


def quarantined(settings: Settings) -> list[tuple[Any, ...]]:
    return query(settings, "select line_number, column_name, rule from quality.quarantine order by 1, 2")


# --- delimited text: the police's CSV and the pipes of the TMO ------------------------------------------------

VICTIM = {
    "Crime Reference": "5600001/17",
    "Victim Number": "1",
    "Record Status": "Live",
    "Recorded Date": "01/11/2017",
    "Victim Forename": "Zoë",
    "Victim Surname": NAME,
    "Victim Date of Birth": "07/02/1985",
    "Age": "32",
    "Sex": "F",
    "Ethnic Appearance": "White European",
    "Borough of Residence": "Kensington and Chelsea",
    "Relationship to Accused": "Neighbour",
    "Injury Degree": "None",
    "Vulnerable Victim": "N",
}


def victims(*changes: dict[str, str], count: int = 60, headings: list[str] | None = None) -> str:
    """A file of ``count`` victims, the first of them changed, one after another."""
    headings = headings or list(VICTIM)
    rows = [VICTIM | {"Victim Number": str(n + 1)} | (changes[n] if n < len(changes) else {}) for n in range(count)]
    return "".join(",".join(line) + "\n" for line in [headings, *([row.get(h, "") for h in headings] for row in rows)])


def deliver_victims(settings: Settings, content: str | bytes, name: str = "simulated_victims_20171102.csv") -> Delivery:
    return deliver(settings, VICTIMS, name, content if isinstance(content, bytes) else content.encode(), "police")


MARKED, WINDOWS = "\ufeff", "cp1252"


@pytest.mark.parametrize(
    "content",
    [
        victims().encode(),
        (MARKED + victims()).encode(),
        victims().encode(WINDOWS),
        victims().replace("\n", "\r\n").encode(),
        victims().replace("\n", "\r\n", 30).encode(),
        b"".join(line.encode(WINDOWS if n % 2 else "utf-8") for n, line in enumerate(victims().splitlines(True))),
        victims(headings=[*reversed(VICTIM)]).encode(),
        victims().replace("Victim Surname", " victim_SURNAME ").encode(),
    ],
    ids=["plain", "BOM", "cp1252", "CRLF", "mixed line ends", "mixed encodings", "reordered", "spelt otherwise"],
)
def test_a_file_that_says_the_same_in_another_way_is_the_same(settings: Settings, content: bytes) -> None:
    assert account(deliver_victims(settings, victims())) == ("admitted", 60, 60, 0, 0)
    again = deliver_victims(settings, content, "simulated_victims_20171103.csv")
    assert account(again) == ("admitted", 60, 0, 60, 0)
    assert one(settings, f"select count(distinct victim_token) from raw.{VICTIMS}") == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ((MARKED + victims()).encode("utf-16-le"), "written in UTF-16; utf-8 or cp1252 was agreed"),
        (victims().encode("utf-16-be"), "UTF-16, without the mark"),
        (victims().encode("cp1252").replace(b"Zo\xeb", b"Zo\x81"), "not written in utf-8 or cp1252"),
        (victims().replace("Victim Surname", "Family Name").encode(), "lacks the column Victim Surname"),
        (victims(headings=[h for h in VICTIM if h != "Record Status"]).encode(), "lacks the column Record Status"),
        (victims()[:-20].encode(), "last line has no end: cut short"),
        (victims()[:-1].replace(f"{NAME},07/02/1985,32,F,White European,Kensington and Chelsea,Neighbour,None,N\n", "")
         .rsplit("\n", 1)[0].encode() + b'\n5600001/17,61,Live,01/11/2017,"Zo\n', "inside a quoted field"),
        (b"", "empty"),
        (b"\x00\xff" * 2000 + b"\n", "not written|lacks"),
    ],
    ids=["UTF-16", "unmarked UTF-16", "no encoding", "renamed", "missing", "cut", "cut in a quote", "empty", "noise"],
)  # fmt: skip
def test_a_file_that_is_not_as_agreed_is_refused_whole(settings: Settings, content: bytes, why: str) -> None:
    delivery = deliver_victims(settings, content)
    assert delivery.state == "refused" and delivery.counts == (0, 0, 0, 0, 0)
    assert one(settings, "select reason ~ %s from quality.delivery", why), delivery.reason
    assert one(settings, f"select count(*) from raw.{VICTIMS}") == 0
    assert "refused:police_victims:simulated_victims_20171102.csv" in alerts(settings)


SPOILT: list[tuple[dict[str, str], tuple[str | None, str]]] = [
    ({"Age": "250"}, ("age", "range")),
    ({"Age": "-1"}, ("age", "range")),
    ({"Age": "thirty"}, ("age", "type")),
    ({"Age": "32.5"}, ("age", "type")),
    ({"Recorded Date": "31/02/2017"}, ("recorded_date", "type")),
    ({"Recorded Date": "2017"}, ("recorded_date", "type")),
    ({"Recorded Date": ""}, ("recorded_date", "required")),
    ({"Victim Number": "=1+1"}, ("victim_number", "type")),
    ({"Crime Reference": "=cmd|' /C calc'!A0"}, ("offence_id_police", "pattern")),
    ({"Vulnerable Victim": "perhaps"}, ("is_vulnerable", "type")),
    ({"Sex": '"F" or M'}, (None, "quotes")),
    ({"Sex": "F,M"}, (None, "column_count")),
    ({"Sex": "\0"}, (None, "unreadable")),
    ({"Victim Surname": NAME + "\rsmith"}, (None, "quotes")),
]


@pytest.mark.parametrize("block", [700, 2 << 20])
def test_spoilt_rows_are_quarantined_and_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    content = victims(*(change for change, _ in SPOILT), count=400)
    assert account(deliver_victims(settings, content)) == ("admitted", 400, 400 - len(SPOILT), 0, len(SPOILT))
    assert quarantined(settings) == [(line, *found) for line, (_, found) in enumerate(SPOILT, 2)]


@pytest.mark.parametrize("block", [700, 2 << 20])
def test_a_quote_that_is_opened_and_never_closed_takes_its_row_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    assert account(deliver_victims(settings, victims({}, {"Sex": '"F'}))) == ("admitted", 60, 59, 0, 1)
    assert quarantined(settings) == [(3, None, "quotes")]


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [
        ({"Age": "0"}, "age", None),
        ({"Age": "110"}, "age", 110),
        ({"Injury Degree": '"Minor, they said ""minor"""'}, "injury_degree", 'Minor, they said "minor"'),
        ({"Injury Degree": 'Minor 5" cut'}, "injury_degree", 'Minor 5" cut'),
        ({"Victim Surname": '"Nevershown, Lady"'}, "age", 32),
        ({"Victim Surname": "=cmd|' /C calc'!A0"}, "age", 32),
        ({"Victim Surname": '"Never\nshown"'}, "age", 32),
    ],
)
def test_what_looks_wrong_and_is_not_is_admitted(
    settings: Settings, change: dict[str, str], column: str, value: Any
) -> None:
    assert account(deliver_victims(settings, victims(change))) == ("admitted", 60, 60, 0, 0)
    assert one(settings, f"select {column} from raw.{VICTIMS} where victim_number = 1") == value


def test_a_new_column_is_let_in_and_told(settings: Settings) -> None:
    delivery = deliver_victims(settings, victims({"Gender Identity": "x"}, headings=[*VICTIM, "Gender Identity"]))
    assert account(delivery) == ("admitted", 60, 60, 0, 0)
    assert [flag["flag"] for flag in delivery.flags] == ["new_column"]


CASE = {
    "CASE_REF": "ASB/17/00001", "CATEGORY": "Noise,Drugs", "PRIORITY": "A", "STAGE": "Investigating",
    "DATE_OPENED": "03/04/2017", "DATE_ASSESSED": "04/04/2017", "DATE_ACTION": "", "DATE_MONITORING": "",
    "DATE_CLOSED": "", "CLOSE_REASON": "", "ESTATE": "Silchester", "WARD_CODE": "E05009399", "WARD": "Notting Dale",
    "UPRN": "217000001", "HOUSE_REF": "H-4711", "COMPLAINANT_NAME": f"{NAME}, Zoë",
    "COMPLAINANT_DOB": "1985-02-07", "SUBJECT_NAME": "", "SUBJECT_DOB": "", "COMPLAINANT_VULNERABLE": "Y",
}  # fmt: skip


def cases(*changes: dict[str, str], count: int = 60) -> bytes:
    rows = [CASE | {"CASE_REF": f"ASB/17/{n:05}"} | (changes[n] if n < len(changes) else {}) for n in range(count)]
    return "".join("|".join(line) + "\r\n" for line in [CASE.keys(), *(row.values() for row in rows)]).encode(WINDOWS)


def test_a_pipe_delimited_file_of_windows_is_read_with_its_commas_pipes_and_quotes(settings: Settings) -> None:
    content = cases({"ESTATE": '"Silchester | East"'}, {"ESTATE": 'The 5" pipe'}, {"ESTATE": "A|B"}, {"STAGE": '"Open'})
    delivery = deliver(settings, CASES, "simulated_tmo_asb_cases_20170403.txt", content, "tmo")
    assert account(delivery) == ("admitted", 60, 58, 0, 2)
    assert quarantined(settings) == [(4, None, "column_count"), (5, None, "quotes")]
    assert query(settings, f"select estate_name from raw.{CASES} where line_number < 4 order by line_number") == [
        ("Silchester | East",),
        ('The 5" pipe',),
    ]
    assert one(settings, f"select distinct categories from raw.{CASES}") == "Drugs|Noise"


# --- JSON lines -----------------------------------------------------------------------------------------------

ACTION: dict[str, Any] = {
    "actionId": "EA-00001", "status": "active", "service": "Noise", "power": "Visit",
    "actionAt": "2017-07-01T23:30:00Z",
    "location": {"type": "Dwelling", "wardCode": "E05009394", "lsoaCode": "E01002854", "uprn": 217000001,
                 "address": "12 Nowhere Road", "postcode": "W10 6DZ"},
    "subject": {"type": "person", "name": f"Zoe {NAME}", "dateOfBirth": "1985-02-07"},
}  # fmt: skip


@pytest.mark.parametrize("block", [1000, 2 << 20])
def test_broken_lines_of_json_are_quarantined_and_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    lines = [json.dumps(ACTION | {"actionId": f"EA-{n:05}"}, ensure_ascii=False) for n in range(80)]
    lines[3], lines[10] = lines[3][:-40], json.dumps(ACTION | {"actionAt": "2017-07-32T23:30:00Z"})
    content = "".join(line + "\n" for line in lines).encode()
    name = "simulated_enforcement_actions_20170702.jsonl"
    assert account(deliver(settings, ACTIONS, name, content, "council")) == ("admitted", 80, 78, 0, 2)
    assert quarantined(settings) == [(4, None, "json"), (11, "action_at", "type")]
    assert one(settings, f"select count(distinct subject_token) from raw.{ACTIONS}") == 1
    cut = deliver(settings, ACTIONS, "simulated_enforcement_actions_20170703.jsonl", content[:-30], "council")
    assert (cut.state, cut.rows_refused) == ("refused", 80)
    assert "cut short" in (cut.reason or "")


# --- workbooks ------------------------------------------------------------------------------------------------

REFERRAL: dict[str, Any] = {
    "Referral No": "ANG-00001", "Date of Referral": "3 April 2017", "Type(s) of Abuse": "Stalking and harassment",
    "Source of Referral": "Self", "Repeat Referral": "Yes", "Borough": "Kensington and Chelsea", "Ward": "Dalgarno",
    "Age": 32, "Gender": "Female", "Support Started": date(2017, 4, 10), "Client First Name": "Zoë",
    "Client Surname": NAME, "Date of Birth": date(1985, 2, 7),
}  # fmt: skip
BOOK = "simulated_Angelou referrals 2017-04-30.xlsx"
CONNECTION = "saferkc_angelou_workbook"
LOCKED_WITH = {"password": "simulated"}


def referrals(
    *changes: dict[str, Any], count: int = 40, change: Callable[[openpyxl.Workbook], None] | None = None
) -> bytes:
    """A workbook as the service sends it: cover sheet, titles, the table from row 5, totals and a note."""
    rows = [REFERRAL | {"Referral No": f"ANG-{n:05}"} | (changes[n] if n < len(changes) else {}) for n in range(count)]
    table: list[list[Any]] = [
        ["Angelou Partnership (simulated)"],
        ["Extract of", datetime(2017, 4, 30, 17, 45)],
        [],
        [],
        list(REFERRAL),
        *(list(row.values()) for row in rows),
        ["Total", count],
        [],
        [f"Typed by {NAME}"],
    ]
    return workbook({"Read me": [["What this is"]], "Referrals": table, "Codes": [["Ward"]]}, change)


def test_a_workbook_as_people_send_it_is_admitted_whole(settings: Settings, connection: Callable[..., None]) -> None:
    connection(CONNECTION, **LOCKED_WITH)
    content = referrals(
        {"Date of Referral": date(2017, 4, 3), "Date of Birth": "07/02/1985"},
        {"Date of Referral": 42828, "Date of Birth": "7 Feb 1985", "Client Surname": NAME.upper()},
        {"Date of Referral": "03/04/2017", "Date of Birth": 31085, "Ward": None},
        {"Date of Referral": "3 April 2017", "Age": "32", "Ward": None, "Referral No": "ANG-00003 "},
        change=lambda book: book.worksheets[1].merge_cells("G7:G9"),
    )
    delivery = deliver(settings, REFERRALS, BOOK, locked(content, **LOCKED_WITH), "angelou")
    assert account(delivery) == ("admitted", 40, 40, 0, 0)
    assert [(flag["flag"], flag["meaning"]) for flag in delivery.flags] == [
        ("left_out", "2 rows below the table left out as totals or notes")
    ]
    assert query(
        settings, f"select distinct referred_date, age, support_from_date, ward_name from raw.{REFERRALS}"
    ) == [(date(2017, 4, 3), 32, date(2017, 4, 10), "Dalgarno")]
    assert one(settings, f"select count(distinct client_token) from raw.{REFERRALS}") == 1
    assert query(settings, f"select min(line_number), max(line_number) from raw.{REFERRALS}") == [(6, 45)]
    assert not alerts(settings)


def test_a_workbook_that_says_the_same_in_other_cells_changes_nothing(settings: Settings) -> None:
    deliver(settings, REFERRALS, BOOK, referrals(), "angelou")

    def untidy(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[1]
        sheet.insert_rows(1, 3)
        sheet.insert_cols(2)
        sheet.row_dimensions[20].hidden = True

    again = deliver(settings, REFERRALS, BOOK.replace("04-30", "05-01"), referrals(change=untidy), "angelou")
    assert account(again) == ("admitted", 40, 0, 40, 0)
    assert {flag["flag"] for flag in again.flags} == {"left_out", "hidden_rows"}


def test_cells_that_are_wrong_quarantine_their_rows_alone(settings: Settings) -> None:
    content = referrals({"Age": 250}, {"Date of Referral": "31/02/2017"}, {"Age": "=10+22"})
    error = b'<c r="B9" t="e"><v>#REF!</v></c>'
    content = rewritten(
        content,
        "xl/worksheets/sheet2.xml",
        lambda xml: xml.replace(b'<c r="B9" t="inlineStr"><is><t>3 April 2017</t></is></c>', error),
    )
    delivery = deliver(settings, REFERRALS, BOOK, content, "angelou")
    assert account(delivery) == ("admitted", 40, 36, 0, 4)
    assert quarantined(settings) == [
        (6, "age", "range"),
        (7, "referred_date", "type"),
        (8, "age", "formula"),
        (9, "referred_date", "cell_error"),
    ]


def test_a_record_whose_row_is_spoilt_is_not_taken_for_withdrawn(settings: Settings) -> None:
    """A full extract that holds a record in a row that can't be read holds it all the same."""
    deliver(settings, REFERRALS, BOOK, referrals(), "angelou")
    rows = [list((REFERRAL | {"Referral No": f"ANG-{n:05}"}).values()) for n in range(40)]
    rows[4][7] = "=40-8"
    table = [list(REFERRAL), *rows[:39], ["Total", 40], rows[39]]
    delivery = deliver(settings, REFERRALS, BOOK.replace("04-30", "05-01"), workbook({"Referrals": table}), "angelou")
    assert (delivery.state, delivery.counts) == ("admitted", (40, 0, 38, 2, 0))
    assert quarantined(settings) == [(6, "age", "formula"), (42, None, "below_the_table")]
    assert one(settings, f"select count(*) from raw.{REFERRALS} where withdrawn_delivery_id is null") == 40


def test_a_locked_workbook_waits_in_landing_until_its_password_is_known(
    settings: Settings, connection: Callable[..., None]
) -> None:
    content = locked(referrals(), **LOCKED_WITH)
    connection(CONNECTION)
    refused = deliver(settings, REFERRALS, BOOK, content, "angelou")
    assert (refused.state, refused.counts) == ("refused", (0, 0, 0, 0, 0))
    assert f"the connection {CONNECTION} that holds it is not set" in (refused.reason or "")
    connection(CONNECTION, **(LOCKED_WITH | {"password": "wrong-and-secret"}))
    again = take_again(settings, REFERRALS)
    assert again.state == "refused" and "does not open it" in (again.reason or "")
    assert "wrong-and-secret" not in str(deliveries(settings)) + str(alerts(settings))
    connection(CONNECTION, **LOCKED_WITH)
    assert account(take_again(settings, REFERRALS)) == ("admitted", 40, 40, 0, 0)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"Referral No,Date of Referral\n", "can't be opened as a workbook"),
        (referrals()[:-100], "can't be opened as a workbook"),
        (referrals(change=lambda book: book.remove(book.worksheets[1])), "none of its 2 sheets is called as agreed"),
        (referrals(change=lambda book: book.worksheets[1].delete_cols(2)), "lacks the column Date of Referral"),
        (referrals(change=lambda book: setattr(book.worksheets[1], "sheet_state", "hidden")), "hidden"),
        (rewritten(referrals(), "xl/worksheets/sheet2.xml", lambda xml: xml + b" " * (32 << 20)), "zip bomb"),
    ],
    ids=["a CSV", "cut", "no sheet", "no column", "hidden", "zip bomb"],
)
def test_a_workbook_that_is_not_as_agreed_is_refused_whole(settings: Settings, content: bytes, why: str) -> None:
    delivery = deliver(settings, REFERRALS, BOOK, content, "angelou")
    assert delivery.state == "refused" and delivery.counts == (0, 0, 0, 0, 0)
    assert why in (delivery.reason or "")


def take_again(settings: Settings, feed: str) -> Delivery:
    """Replay what was refused, and return what becomes of it now."""
    load_arrivals(settings, feed, replay(settings, feed, date(2000, 1, 1), date(2100, 1, 1)))
    return deliveries(settings)[-1]


# --- encrypted, and in archives -------------------------------------------------------------------------------

OUR_KEY, ANOTHER = Tsk.generate("ours (simulated)"), Tsk.generate("another (simulated)")


def encrypted(content: str, key: Tsk = OUR_KEY) -> bytes:
    return encrypt(content.encode(), recipients=[key.extract_certificate()])


def test_an_encrypted_file_is_admitted_and_kept_as_it_came(settings: Settings, connection: Callable[..., None]) -> None:
    connection("saferkc_police_pgp", extra={"private_key": str(OUR_KEY)})
    content = encrypted(victims({"Age": "250"}))
    delivery = deliver_victims(settings, content, "simulated_victims_20171102.csv.pgp")
    assert account(delivery) == ("admitted", 60, 59, 0, 1)
    landed = one(settings, "select landed_sha256 from quality.delivery")
    with open_landed(settings, landed) as stream:
        assert stream.read() == content


def test_a_file_for_another_key_is_refused_until_our_key_is_the_one(
    settings: Settings, connection: Callable[..., None]
) -> None:
    name = "simulated_victims_20171102.csv.gpg"
    connection("saferkc_police_pgp", extra={"private_key": str(OUR_KEY)})
    refused = deliver_victims(settings, encrypted(victims(), ANOTHER), name)
    assert (refused.state, refused.counts) == ("refused", (0, 0, 0, 0, 0))
    assert "encrypted for another key than that of connection saferkc_police_pgp" in (refused.reason or "")
    connection("saferkc_police_pgp", extra={"private_key": str(ANOTHER)})
    assert account(take_again(settings, VICTIMS)) == ("admitted", 60, 60, 0, 0)


def test_nothing_of_a_message_that_was_cut_short_reaches_raw(
    settings: Settings, connection: Callable[..., None]
) -> None:
    connection("saferkc_police_pgp", extra={"private_key": str(OUR_KEY)})
    delivery = deliver_victims(settings, encrypted(victims())[:-200], "simulated_victims_20171102.csv.asc")
    assert delivery.state == "refused" and one(settings, f"select count(*) from raw.{VICTIMS}") == 0


def archive(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return content.getvalue()


VICTIMS_OF_THE_DAY = {"simulated_victims_20171102.csv": victims().encode()}


def locked_archive() -> bytes:
    """An archive whose members say that they are locked."""
    content = bytearray(archive(VICTIMS_OF_THE_DAY))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (archive(VICTIMS_OF_THE_DAY | {"../../victims_20171103.csv": b"x"}), "leads out of it"),
        (archive(VICTIMS_OF_THE_DAY | {"/victims_20171103.csv": b"x"}), "leads out of it"),
        (archive({"victims_20171102.csv": b"0" * (80 << 20)}), "zip bomb"),
        (locked_archive(), "locked with a password"),
        (archive(VICTIMS_OF_THE_DAY)[:-30], "damaged or cut short"),
    ],
    ids=["climbs out", "absolute", "zip bomb", "locked", "cut"],
)
def test_an_archive_that_no_agency_should_send_is_refused_whole(settings: Settings, content: bytes, why: str) -> None:
    drop(settings, "simulated_police_20171102.zip", content, "police")
    assert [delivery.state for delivery in load(settings, VICTIMS)] == ["refused"]
    for delivery in deliveries(settings):
        assert delivery.counts == (0, 0, 0, 0, 0) and why in (delivery.reason or "")
    with psycopg.connect(settings.warehouse_url) as database:
        assert database.execute(f"select count(*) from raw.{VICTIMS}").fetchone() == (0,)


def test_encrypted_members_of_an_archive_are_read(settings: Settings, connection: Callable[..., None]) -> None:
    connection("saferkc_police_pgp", extra={"private_key": str(OUR_KEY)})
    drop(
        settings,
        "simulated_police_20171102.zip",
        archive({"simulated_victims_20171102.csv.pgp": encrypted(victims())}),
        "police",
    )
    assert [account(delivery) for delivery in load(settings, VICTIMS)] == [("admitted", 60, 60, 0, 0)]


def test_members_whose_folder_or_name_tells_of_somebody_are_called_by_their_place(settings: Settings) -> None:
    today, tomorrow = "simulated_victims_20171102.csv", "simulated_victims_20171103.csv"
    drop(
        settings,
        "simulated_police_20171102.zip",
        archive(
            {
                f"case of {NAME}/{today}": victims(),
                f"simulated_{NAME}_victims_20171103.csv": victims(count=61),
                "#1/victims_20171104.csv": b"",
            }
        ),
        "police",
    )
    taken = load(settings, VICTIMS)
    assert [account(delivery) for delivery in taken[:2]] == [("admitted", 60, 60, 0, 0), ("admitted", 61, 1, 60, 0)]
    assert [delivery.source_name for delivery in taken] == [
        f"simulated_police_20171102.zip!{name}" for name in (f"#1/{today}", f"#2/{tomorrow}", "#3/victims_20171104.csv")
    ]
    assert (taken[2].state, taken[2].reason) == ("refused", "it is empty")
