"""Workbooks as people send them: every record comes out with its row, and what is left out is counted."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from saferkc.contracts import Contract
from saferkc.landing.unlock import Secret
from saferkc.loading import sheets
from saferkc.loading import workbook as workbook_module
from saferkc.loading.columns import FAULT
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.workbook import WorkbookReader
from small_contracts import column, small_contract
from workbooks import locked, rewritten, with_shared_texts, workbook

HEADINGS = ["Ref", "Referred", "Ward", "Age", "Note"]
COLUMNS = [
    column("ref", required=True, origin={"headings": ["Ref"]}),
    column(
        "referred_date",
        "date",
        {"headings": ["Referred"], "date_formats": ["%d %B %Y"]},
        required=True,
        logicalTypeOptions={"format": "%d/%m/%Y"},
    ),
    column("ward", origin={"headings": ["Ward", "Ward name"]}),
    column("age", "integer", {"headings": ["Age"]}),
    column("note", origin={"headings": ["Note"], "optional": True}),
]
NAMES = ["ref", "referred_date", "ward", "age", "note"]


def contract(**layout: str) -> Contract:
    return small_contract(COLUMNS, format="workbook", workbook=layout, patterns=[r"\.xlsx$"], examples=["a.xlsx"])


AGREED = contract()


def row(
    number: int, when: Any = date(2017, 4, 3), ward: Any = "Dalgarno", age: Any = 30, note: Any = None
) -> list[Any]:
    return [f"R{number}", when, ward, age, note]


def read(
    content: bytes, contract: Contract = AGREED, secrets: Callable[[str], Secret | None] = lambda _: None
) -> tuple[list[tuple[Any, ...]], list[QuarantinedRow], list[dict[str, Any]]]:
    """Row number and texts of each record; what fell out; and the notes of how it was read."""
    reader = WorkbookReader(contract, io.BytesIO(content), secrets)
    batches = list(reader)
    frames = [batch.frame for batch in batches]
    broken = [one for batch in batches for one in batch.broken]
    if not frames:
        return [], broken, reader.layout.notes
    whole = pl.concat(frames)
    told = whole.filter(pl.col(FAULT).is_not_null())
    for number, fault in told.select("line_number", FAULT).rows():
        name, rule, reason = fault.split("\x1f")
        broken.append(QuarantinedRow(number, name or None, rule, reason))
    assert told["ref"].null_count() == 0  # the key of the record is known
    whole = whole.filter(pl.col(FAULT).is_null())
    names = [name for name in ["line_number", *NAMES] if name in whole.columns]
    return whole.select(names).rows(), broken, reader.layout.notes


def text_of(value: Any) -> Any:
    """What a row with this value under Note is read as."""
    (found,), _, _ = read(workbook({"A": [HEADINGS, row(1, note=value)]}))
    return found[5]


# --- where the table is ---------------------------------------------------------------------------------------


def test_title_rows_blank_rows_and_merged_titles_stand_above_the_headings() -> None:
    content = workbook(
        {
            "Referrals": [
                ["Angelou (simulated): all referrals"],
                [],
                ["Extract of", date(2017, 4, 3), "Ref"],
                [],
                ["", *HEADINGS],
                ["", *row(1)],
                [],
                ["", *row(2, date(2017, 4, 4))],
            ]
        },
        lambda book: book.worksheets[0].merge_cells("A1:E1"),
    )
    rows, broken, notes = read(content)
    assert rows == [(6, "R1", "03/04/2017", "Dalgarno", "30", None), (8, "R2", "04/04/2017", "Dalgarno", "30", None)]
    assert not broken and not notes


def test_headings_merged_over_two_rows_are_found() -> None:
    content = workbook(
        {"A": [["Ref", "Client", None, None, "Referred"], [None, "Ward", "Age", "Note", None], [*"aWxyz"]]},
        lambda book: [book.worksheets[0].merge_cells(place) for place in ("A1:A2", "E1:E2", "B1:D1")][:0],
    )
    rows, _, _ = read(content)
    assert rows == [(3, "a", "z", "W", "x", "y")]


def test_a_new_column_is_noted_and_another_order_is_read() -> None:
    reader = WorkbookReader(
        contract(), io.BytesIO(workbook({"A": [["Age", "new one", "Referred", "WARD_NAME", "ref"], [1, 2, 3, 4, 5]]}))
    )
    assert reader.layout.new_headings == ["new one"]
    assert reader.layout.positions == {"ref": 4, "referred_date": 2, "ward": 3, "age": 0}


@pytest.mark.parametrize("headings", [["Ref", "Referred", "Age"], ["Ref", "Referred", "Area", "Age", "Note"]])
def test_a_missing_or_renamed_heading_refuses_the_workbook(headings: list[str]) -> None:
    with pytest.raises(Refused, match=r"lacks the column Ward or Ward name$"):
        read(workbook({"Title": [["Notes on the data"]], "Data": [headings, row(1)]}))


def test_the_sheet_is_chosen_by_its_headings_or_by_the_agreed_name() -> None:
    others = {"Cover": [["Read me"]], "Codes": [["Ward", "Code"], ["Dalgarno", "A"]]}
    data = {"Referrals 2017": [HEADINGS, row(7)]}
    assert read(workbook(others | data))[0][0][1] == "R7"
    old = {"Old referrals": [HEADINGS, row(1)]}
    rows, _, notes = read(workbook(others | old | data), contract(sheet=r"^Referrals \d{4}$"))
    assert [one[1] for one in rows] == ["R7"] and not notes
    with pytest.raises(Refused, match="none of its 2 sheets is called as agreed"):
        read(workbook(others), contract(sheet="^Referrals"))


def test_a_second_sheet_with_the_headings_is_told() -> None:
    rows, _, notes = read(workbook({"A": [HEADINGS, row(1)], "Ms Nevershown": [HEADINGS, row(2)]}))
    assert [one[1] for one in rows] == ["R1"]
    assert [note["meaning"] for note in notes] == ["sheet 2 has the headings too; only sheet 1 was read"]
    assert "is_usual" not in notes[0]


def test_a_hidden_sheet_is_not_read_and_is_refused_where_there_is_no_other() -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book.worksheets[0].sheet_state = "hidden"
        book.active = 1

    two = {"Old": [HEADINGS, row(1)], "New": [HEADINGS, row(2)]}
    rows, _, notes = read(workbook(two, hide))
    assert [one[1] for one in rows] == ["R2"]
    assert [note["flag"] for note in notes] == ["other_sheet"]
    with pytest.raises(Refused, match="only sheet that has the headings is hidden"):
        read(workbook({"Old": [HEADINGS, row(1)], "New": [["nothing"]]}, hide))


def test_hidden_rows_are_records_and_are_counted() -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book.worksheets[0].row_dimensions[3].hidden = True

    rows, broken, notes = read(workbook({"A": [HEADINGS, row(1), row(2), row(3)]}, hide))
    assert [one[1] for one in rows] == ["R1", "R2", "R3"] and not broken
    assert [(note["flag"], note["is_usual"]) for note in notes] == [("hidden_rows", True)]


# --- where the table ends -------------------------------------------------------------------------------------


def test_totals_and_what_follows_them_are_left_out_and_counted() -> None:
    table = [HEADINGS, row(1), row(2), ["Total", None, None, 60], ["Mean", None, None, 30], [], ["Source: made up"]]
    rows, broken, notes = read(workbook({"A": table}), contract(totals="^(grand )?total"))
    assert [one[1] for one in rows] == ["R1", "R2"] and not broken
    assert [note["meaning"] for note in notes] == ["3 rows below the table left out as totals or notes"]


def test_a_record_below_the_totals_is_not_lost() -> None:
    table = [HEADINGS, row(1), ["Total", None, None, 30], row(2), ["Total", None, None, 60]]
    rows, broken, _ = read(workbook({"A": table}), contract(totals="^total"))
    assert [one[1] for one in rows] == ["R1"]
    assert [(one.line_number, one.rule) for one in broken] == [(4, "below_the_table")]


def test_a_record_whose_first_cell_reads_like_totals_is_a_record() -> None:
    rows, _, notes = read(
        workbook({"A": [HEADINGS, ["Total", date(2017, 4, 3), "W", 1], row(2)]}), contract(totals="total")
    )
    assert [one[1] for one in rows] == ["Total", "R2"] and not notes


def test_totals_that_nobody_agreed_come_out_as_a_record_that_will_break_its_rules() -> None:
    rows, _, _ = read(workbook({"A": [HEADINGS, row(1), [None, None, "Total", 30]]}))
    assert rows[-1] == (3, None, None, "Total", "30", None)


def test_notes_under_the_table_are_left_out_and_a_short_row_within_it_is_not() -> None:
    table = [HEADINGS, row(1), ["R2"], row(3), [], ["* provisional"], ["made up"], [None] * 7 + ["stray"]]
    rows, broken, notes = read(workbook({"A": table}))
    assert [one[:2] for one in rows] == [(2, "R1"), (3, "R2"), (4, "R3")] and not broken
    assert [note["meaning"] for note in notes] == ["3 rows below the table left out as totals or notes"]


def test_a_table_of_headings_alone_holds_no_record() -> None:
    assert read(workbook({"A": [HEADINGS]})) == ([], [], [])


def test_batches_hold_all_rows_whatever_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_module, "BATCH_ROWS", 3)
    rows, broken, _ = read(workbook({"A": [HEADINGS, *(row(n) for n in range(10)), row(11, note="=1/0")]}))
    assert [one[1] for one in rows] == [f"R{n}" for n in range(10)]
    assert [one.line_number for one in broken] == [12]


# --- what a cell says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("007", "007"),
        (7, "7"),
        (7.0, "7"),
        (100021234567, "100021234567"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (True, "true"),
        (date(2017, 4, 3), "2017-04-03"),
        (datetime(2017, 4, 3, 14, 30), "2017-04-03T14:30:00"),
        (time(14, 30), "14:30:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        ("two\nlines", "two\nlines"),
        ("+44 20 7361 3000", "+44 20 7361 3000"),
        ("@home", "@home"),
    ],
)
def test_a_cell_becomes_the_text_that_would_be_typed(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_the_text_of_a_formula_is_text_and_is_never_reckoned() -> None:
    def as_text(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["E2"].data_type = "s"

    (found,), broken, _ = read(workbook({"A": [HEADINGS, row(1, note="=cmd|' /C calc'!A0")]}, as_text))
    assert found[5] == "=cmd|' /C calc'!A0" and not broken


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (date(2017, 4, 3), "03/04/2017"),
        (datetime(2017, 4, 3, 9, 15), "03/04/2017"),
        ("03/04/2017", "03/04/2017"),
        ("3 April 2017", "3 April 2017"),
        (42828, "03/04/2017"),
        (42828.75, "03/04/2017"),
        (1980, "1980"),  # a year, and no day of 1905
        (20170403, "20170403"),
        (-1, "-1"),
        (True, "true"),
        ("31/02/2017", "31/02/2017"),  # for the rules to refuse
    ],
)
def test_dates_come_as_the_contract_writes_them_and_text_as_it_was_typed(when: Any, text: str) -> None:
    assert read(workbook({"A": [HEADINGS, row(1, when)]}))[0] == [(2, "R1", text, "Dalgarno", "30", None)]


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    def from_1904(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    rows, _, _ = read(workbook({"A": [HEADINGS, row(1), row(2, 42828 - 1462)]}, from_1904))
    assert [one[2] for one in rows] == ["03/04/2017", "03/04/2017"]


def test_the_29th_of_february_1900_shifts_no_later_day() -> None:
    assert read(workbook({"A": [HEADINGS, row(1, date(2000, 2, 29)), row(2, 36586)]}))[0][1][2] == "01/03/2000"


def test_times_come_without_an_offset_whatever_other_documents_write() -> None:
    at = column("at", "timestamptz", {"headings": ["At"]}, logicalTypeOptions={"format": "%Y-%m-%dT%H:%M:%S%:z"})
    only = small_contract([at], format="workbook", workbook={}, patterns=["x"], examples=["x"])
    reader = WorkbookReader(only, io.BytesIO(workbook({"A": [["At"], [datetime(2017, 4, 3, 14, 30, 5)]]})))
    assert next(iter(reader)).frame["at"].to_list() == ["2017-04-03T14:30:05"]


def test_parts_of_a_token_come_as_text_and_days_of_birth_as_days() -> None:
    parts = [
        {"headings": ["Surname"], "as": "name"},
        {"headings": ["DoB"], "as": "date"},
        {"headings": ["Tel"], "as": "phone"},
    ]
    token = column("person_token", origin={"token": {"purpose": "p", "parts": parts}}, classification="pseudonymous")
    one = small_contract([column("ref"), token], format="workbook", workbook={}, patterns=["x"], examples=["x"])
    content = workbook(
        {"A": [["ref", "DoB", "Surname", "Tel"], ["a", date(1980, 1, 2), "Nevershown", 7700900123], ["b", 29222]]}
    )
    reader = WorkbookReader(one, io.BytesIO(content))
    assert reader.layout.new_headings == []
    frame = pl.concat(batch.frame for batch in reader)
    assert frame.select("ref", "@person_token.1", "@person_token.2", "@person_token.3").rows() == [
        ("a", "Nevershown", "1980-01-02", "7700900123"),
        ("b", None, "1980-01-02", None),
    ]


def test_a_value_merged_over_rows_counts_for_each_of_them() -> None:
    content = workbook(
        {"A": [HEADINGS, row(1, ward="Norland"), row(2, ward=None), row(3, ward=None), row(4, ward=None)]},
        lambda book: book.worksheets[0].merge_cells("C2:C4"),
    )
    assert [one[3] for one in read(content)[0]] == ["Norland", "Norland", "Norland", None]


def test_cells_merged_across_have_their_value_in_the_first_column_alone() -> None:
    content = workbook(
        {"A": [HEADINGS, row(1, ward="not known", age=None)]}, lambda book: book.worksheets[0].merge_cells("C2:E2")
    )
    assert read(content)[0] == [(2, "R1", "03/04/2017", "not known", None, None)]


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        (b'<c r="D2" t="e"><v>#N/A</v></c>', "cell_error"),
        (b'<c r="D2"><f>1+1</f></c>', "formula"),
        (b'<c r="D2" t="s"><v>99999</v></c>', "cell_error"),
        (b'<c r="D2"><v>1E999</v></c>', "cell_error"),
    ],
)
def test_a_cell_that_has_no_value_takes_its_row_into_quarantine(cell: bytes, rule: str) -> None:
    content = workbook({"A": [HEADINGS, row(1), row(2)]})
    spoilt = rewritten(
        content, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<c r="D2" t="n"><v>30</v></c>', cell)
    )
    rows, broken, _ = read(spoilt)
    assert [one[1] for one in rows] == ["R2"]
    assert [(one.line_number, one.column_name, one.rule) for one in broken] == [(2, "age", rule)]


def test_a_formula_has_the_result_that_was_saved_with_it() -> None:
    cells = b'<c r="D2"><f>10+21</f><v>31</v></c><c r="E2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>'
    content = workbook({"A": [HEADINGS, row(1)]})
    saved = rewritten(
        content, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<c r="D2" t="n"><v>30</v></c>', cells)
    )
    assert read(saved)[0] == [(2, "R1", "03/04/2017", "Dalgarno", "31", "ab")]


def test_texts_in_several_colours_are_whole_and_how_they_are_spoken_is_no_part_of_them() -> None:
    def colour(xml: bytes) -> bytes:
        runs = b'<r><t>Dal</t></r><r><t>garno</t></r><rPh sb="0" eb="1"><t>spoken</t></rPh>'
        return xml.replace(b"<t>Dalgarno</t>", runs)

    content = workbook({"A": [HEADINGS, row(1, note="a_x000D_\nb")]})
    for whole in (
        rewritten(content, "xl/worksheets/sheet1.xml", colour),
        rewritten(with_shared_texts(content), "xl/sharedStrings.xml", colour),
    ):
        assert read(whole)[0] == [(2, "R1", "03/04/2017", "Dalgarno", "30", "a\nb")]


def test_rows_and_cells_without_places_are_counted_on() -> None:
    """As some programs write them, which save the bytes."""
    xml = b"".join(
        b"<row>%s</row>" % b"".join(b'<c t="inlineStr"><is><t>%s</t></is></c>' % value.encode() for value in values)
        for values in (HEADINGS, ["R1", "03/04/2017", "Norland", "5", "x"])
    )
    content = workbook({"A": [["x"]]})
    bare = rewritten(
        content,
        "xl/worksheets/sheet1.xml",
        lambda old: old[: old.index(b"<sheetData>")] + b"<sheetData>" + xml + old[old.index(b"</sheetData>") :],
    )
    assert read(bare)[0] == [(2, "R1", "03/04/2017", "Norland", "5", "x")]


# --- any workbook ---------------------------------------------------------------------------------------------

_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
_TEXTS = st.text(_CHARACTERS | st.sampled_from("\n\t=+-@'\"<>&"), min_size=1, max_size=20)
_NUMBERS = st.integers(-(2**50), 2**50) | st.floats(-1e12, 1e12, allow_subnormal=False).filter(
    lambda n: abs(n) > 1e-9 or n == 0
)
_DAYS = st.dates(date(1910, 1, 1), date(2099, 12, 31))
_CELLS = st.none() | _TEXTS | _NUMBERS | _DAYS | st.booleans()


def _expected(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else value
    return value.isoformat() if isinstance(value, date) else value if value is None else str(value)


@settings(max_examples=80)
@given(
    rows=st.lists(st.tuples(_DAYS, _CELLS, _CELLS), max_size=15),
    titles=st.lists(st.lists(_CELLS, max_size=3), max_size=4),
    left=st.integers(0, 3),
    shared=st.booleans(),
)
def test_any_workbook_is_read_as_it_was_written(
    rows: list[tuple[Any, ...]], titles: list[list[Any]], left: int, shared: bool
) -> None:
    def texts(book: openpyxl.Workbook) -> None:
        for line in book.worksheets[0].iter_rows():
            for cell in line:
                if cell.data_type == "f":  # openpyxl takes any text with a "=" before it for a formula
                    cell.data_type = "s"

    lead = [None] * left
    table = [*titles, lead + HEADINGS, *([*lead, f"R{n}", *values] for n, values in enumerate(rows))]
    content = workbook({"A": table}, texts)
    found, broken, _ = read(with_shared_texts(content) if shared else content)
    assert not broken
    assert len(found) == len(rows)
    for number, ((line, ref, when, *others), (day, *values)) in enumerate(zip(found, rows, strict=True)):
        assert (line, ref, when) == (len(titles) + 2 + number, f"R{number}", f"{day:%d/%m/%Y}")
        for text, value in zip(others, [*values, None], strict=True):
            wanted = _expected(value)
            assert math.isclose(float(text), wanted, rel_tol=1e-14) if isinstance(wanted, float) else text == wanted


# --- locked, damaged, hostile ---------------------------------------------------------------------------------


def test_a_locked_workbook_is_read_with_the_password_of_its_connection() -> None:
    content = locked(workbook({"A": [HEADINGS, row(1)]}), "simulated-password")
    asked: list[str] = []

    def secrets(name: str) -> Secret:
        asked.append(name)
        return Secret(name, "simulated-password")

    assert read(content, secrets=secrets)[0][0][1] == "R1"
    assert asked == ["saferkc_reference_workbook"]
    with pytest.raises(Refused, match="password of connection saferkc_reference_workbook does not open it") as wrong:
        read(content, secrets=lambda name: Secret(name, "another"))
    assert "another" not in str(wrong.value)
    with pytest.raises(Refused, match="connection saferkc_reference_workbook that holds it is not set"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"Ref,Referred\n", b"PK\x03\x04 not really", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600],
    ids=["empty", "a CSV", "a broken zip", "an OLE file"],
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="workbook"):
        read(content)


def test_a_workbook_that_is_cut_short_or_spoilt_is_refused_wherever_it_is() -> None:
    content = workbook({"A": [HEADINGS, *(row(n) for n in range(200))]})
    for size in range(0, len(content), len(content) // 25):
        with pytest.raises(Refused):
            read(content[:size])
    part = "xl/worksheets/sheet1.xml"
    with pytest.raises(Refused, match="damaged"):
        read(rewritten(content, part, lambda xml: xml[: len(xml) // 2]))
    with pytest.raises(Refused, match="damaged"):
        read(rewritten(content, part, lambda xml: xml.replace(b'<row r="50"', b'<row r="49"')))
    with pytest.raises(Refused, match="damaged"):
        read(rewritten(content, "xl/workbook.xml", lambda _: b"<nothing/>"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    content = workbook({"A": [HEADINGS, row(1)]})
    for part in ("xl/worksheets/sheet1.xml", "xl/styles.xml"):
        bomb = rewritten(content, part, lambda xml: xml + b" " * (32 << 20))
        with pytest.raises(Refused, match="zip bomb"):
            read(bomb)


def test_texts_that_would_fill_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_LARGEST_TEXTS", 1 << 10)
    with pytest.raises(Refused, match="zip bomb"):
        read(with_shared_texts(workbook({"A": [HEADINGS, *(row(n, note=f"text {n}") for n in range(100))]})))


@pytest.mark.parametrize(
    "sheet",
    [
        b'<row r="99999999"><c r="A99999999"><v>1</v></c></row>',
        b'<row r="3">' + b'<c r="A3"><v>1</v></c>' * 20_000 + b"</row>",
        b'<row r="3"><c r="ZZZ3"><v>1</v></c></row>',
        b'<row r="3"><c r="A3" t="str"><v>' + b"x" * 70_000 + b"</v></c></row>",
    ],
    ids=["a row far down", "a row without end", "a column far right", "a text without end"],
)
def test_a_sheet_larger_than_a_spreadsheet_can_be_is_refused(sheet: bytes) -> None:
    content = workbook({"A": [HEADINGS, row(1)]})
    with pytest.raises(Refused, match="damaged"):
        read(
            rewritten(
                content, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", sheet + b"</sheetData>")
            )
        )


def test_entities_of_a_document_type_are_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    content = workbook({"A": [HEADINGS, row(1)]})
    with pytest.raises(Refused, match="damaged"):
        read(rewritten(content, "xl/worksheets/sheet1.xml", lambda xml: laughs + xml[xml.index(b"<worksheet") :]))


def test_a_stream_that_can_not_be_jumped_about_in_is_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    reader = WorkbookReader(contract(), Pipe(workbook({"A": [HEADINGS, row(1)]})))
    assert [batch.frame["ref"].to_list() for batch in reader] == [["R1"]]


def test_a_part_of_a_workbook_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    """What keeps a zip bomb out is that an archive never gives more than its list of contents says."""
    content = bytearray(workbook({"A": [HEADINGS, *(row(n) for n in range(50))]}))
    name = b"xl/worksheets/sheet1.xml"
    place = content.rindex(name) - 46  # its entry in the list of contents
    content[place + 24 : place + 28] = (200).to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive, pytest.raises(zipfile.BadZipFile):
        archive.read(name.decode())
    with pytest.raises(Refused, match="damaged"):
        read(bytes(content))
