"""Reading delimited text and JSON: every row comes out, with the line it stands on, whatever the blocks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saferkc.contracts import Contract
from saferkc.loading import reader
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.json_lines import JsonReader
from saferkc.loading.reader import DelimitedReader
from small_contracts import column, small_contract

COLUMNS = ["first", "second", "third"]
CONTRACT = small_contract([column(name) for name in COLUMNS])
HEADING = ",".join(COLUMNS)

# what tends to go wrong in a CSV, more often than chance would bring it
_AWKWARD = st.sampled_from(['"', ",", "\n", "\r\n", "\r", " ", ";", "'", "\\", "\\.", "é", "ß", "漢", "😀", "\u2028"])
_VALUES = st.lists(st.one_of(_AWKWARD, st.text(max_size=6)), max_size=4).map("".join)
_TEXT = _VALUES.map(lambda text: text.replace("\0", "").encode("utf-8", "ignore").decode())
_ROWS = st.lists(st.tuples(_TEXT, _TEXT, _TEXT), max_size=25)
_BLOCKS = st.integers(min_value=7, max_value=4096)


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    """Read in blocks of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_BYTES", size)
        yield


def read(
    content: bytes, block: int = 4 << 20, contract: Contract = CONTRACT
) -> tuple[pl.DataFrame, list[QuarantinedRow]]:
    """All frames of a document as one, in the order of its lines; and what fell out."""
    with blocks_of(block):
        batches = list(DelimitedReader(contract, io.BytesIO(content)))
    frames = [batch.frame for batch in batches]
    broken = [row for batch in batches for row in batch.broken]
    return (pl.concat(frames) if frames else pl.DataFrame()), broken


def rows_of(frame: pl.DataFrame) -> list[tuple[int, ...]]:
    """Line number and values of each row; an empty value and none are the same to the loader."""
    if frame.is_empty():
        return []
    return [(row[0], *(value or "" for value in row[1:])) for row in frame.select("line_number", *COLUMNS).rows()]


def written(rows: list[tuple[str, ...]], line_end: str, quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    """The rows as Python's csv module writes them, under the heading."""
    if any("\r" in value for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # the csv module leaves a "\r" bare where lines end with "\n"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerow(COLUMNS)
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows(rows)
    return text.getvalue().encode()


def with_line_numbers(rows: list[tuple[str, ...]]) -> list[tuple[Any, ...]]:
    """Each row with the physical line on which it begins, and its line ends as the reader gives them."""
    numbered: list[tuple[Any, ...]] = []
    line = 2
    for row in rows:
        values = [value.replace("\r\n", "\n") for value in row]
        numbered.append((line, *values))
        line += 1 + sum(value.count("\n") for value in values)
    return numbered


@settings(deadline=None, max_examples=300)
@given(
    rows=_ROWS,
    block=_BLOCKS,
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_every_row_comes_out_with_its_line_number(
    rows: list[tuple[str, ...]], block: int, line_end: str, mark: bool, quoting: Any
) -> None:
    content = (b"\xef\xbb\xbf" if mark else b"") + written(rows, line_end, quoting)
    frame, broken = read(content, block)
    assert not broken
    assert rows_of(frame) == with_line_numbers(rows)


_PLAIN = st.text(alphabet="abc é;", max_size=5)


@settings(deadline=None, max_examples=200)
@given(
    lines=st.lists(st.lists(_PLAIN, min_size=1, max_size=6), max_size=30),
    quoted=st.booleans(),
    block=_BLOCKS,
)
def test_lines_of_another_length_fall_out_and_nothing_is_lost(lines: list[list[str]], quoted: bool, block: int) -> None:
    """Also where a line that is too long makes up for one that is too short."""
    lines = [fields for fields in lines if any(fields) or len(fields) > 1]  # a blank line is no record
    quote = '"' if quoted else ""
    content = "\n".join([HEADING, *(",".join(quote + field + quote for field in fields) for fields in lines), ""])
    frame, broken = read(content.encode(), block)
    expected = [(number, *fields) for number, fields in enumerate(lines, 2) if len(fields) == len(COLUMNS)]
    assert rows_of(frame) == expected
    wrong = {number: len(fields) for number, fields in enumerate(lines, 2) if len(fields) != len(COLUMNS)}
    assert {row.line_number: row.reason for row in broken} == {
        number: f"it has {width} fields where the heading has 3" for number, width in wrong.items()
    }
    assert len(broken) == len(wrong) and all(row.rule == "column_count" for row in broken)


_ODDLY_QUOTED = st.text(alphabet='"",,,ab é\\', max_size=14)


@settings(deadline=None, max_examples=500)
@given(lines=st.lists(st.one_of(_ODDLY_QUOTED, st.just('"a","b ""c""","d,e"')), max_size=20))
def test_lines_that_are_parsed_at_once_say_what_they_say_one_by_one(lines: list[str]) -> None:
    """Wherever quotes stand: around fields, in the middle of one, or with something behind them."""
    content = "\n".join([HEADING, *lines, "a,b,c", ""]).encode()
    try:
        frame, broken = read(content)
    except Refused:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_odd_lines", lambda *_: None)
        one_by_one, fallen_out = read(content)
    assert rows_of(frame) == rows_of(one_by_one)
    assert sorted(broken, key=lambda row: row.line_number) == fallen_out


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_a_line_too_long_does_not_make_up_for_one_too_short(block: int) -> None:
    frame, broken = read(f"{HEADING}\na,b,c\nd,e\nf,g,h,i\nj,k,l\n".encode(), block)
    assert rows_of(frame) == [(2, "a", "b", "c"), (5, "j", "k", "l")]
    assert [(row.line_number, row.rule) for row in broken] == [(3, "column_count"), (4, "column_count")]


@pytest.mark.parametrize("block", [7, 40, 4096])
@pytest.mark.parametrize(
    "line",
    ['a"b,"c,d', '"a"b,c,d', 'x,"y" ,z', "a\rb,c,d", '"' + "x" * 140_000 + '",c,d'],
    ids=["opens a quote it never closes", "goes on after the quote", "space after the quote", "lone CR", "huge field"],
)
def test_a_wrongly_quoted_line_takes_no_other_with_it(line: str, block: int) -> None:
    content = f'{HEADING}\na,b,c\n"q","r","s"\n{line}\n"t","u","v"\nw,x,y\n'
    frame, broken = read(content.encode(), block)
    assert rows_of(frame) == [(2, "a", "b", "c"), (3, "q", "r", "s"), (5, "t", "u", "v"), (6, "w", "x", "y")]
    assert [(row.line_number, row.rule) for row in broken] == [(4, "quotes")]


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_a_line_with_nul_falls_out(block: int) -> None:
    frame, broken = read(f"{HEADING}\na,b,c\nd,\0,f\ng,h,i\n".encode(), block)
    assert rows_of(frame) == [(2, "a", "b", "c"), (4, "g", "h", "i")]
    assert [(row.line_number, row.rule) for row in broken] == [(3, "unreadable")]


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_blank_lines_are_no_records(block: int) -> None:
    frame, broken = read(f"{HEADING}\na,b,c\n\n\nd,e,f\n\n".encode(), block)
    assert rows_of(frame) == [(2, "a", "b", "c"), (5, "d", "e", "f")]
    assert not broken


@pytest.mark.parametrize("block", [7, 40, 4096])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \r\n \n", "empty|lacks"),
        (b"first,second,third", "no whole heading line"),
        (f"{HEADING}\na,b,c\nd,e".encode(), "last line has no end"),
        (f"{HEADING}\na,b,c\nd,e,f".encode(), "last line has no end"),
        (f'{HEADING}\na,b,c\nd,"e\n'.encode(), "inside a quoted field"),
        (f'{HEADING}\na,b,c\nd,"e,f\nmore of it\n'.encode(), "inside a quoted field"),
        (f"{HEADING}\na,b,caf\xe9\n".encode("latin-1"), "not written in utf-8, from line 2"),
        (f"{HEADING}\na,b,c\n".encode("utf-16"), "UTF-16"),
        (f"{HEADING}\na,b,c\n".encode("utf-16-le"), "UTF-16, without the mark"),
        (f"{HEADING}\na,b,c\n".encode("utf-16-be"), "UTF-16, without the mark"),
        (b"first,third\na,c\n", "lacks the column second"),
        (b"first;second;third\na;b;c\n", "lacks the column"),
    ],
)
def test_a_document_that_can_not_be_read_as_a_whole_is_refused(content: bytes, why: str, block: int) -> None:
    with pytest.raises(Refused, match=why):
        read(content, block)


def test_a_wrong_encoding_far_into_the_document_is_refused_with_its_line() -> None:
    content = f"{HEADING}\n".encode() + b"a,b,c\n" * 1000 + b"a,b,caf\xe9\n"
    with pytest.raises(Refused, match=r"from line (9\d\d|100[01]|1002) at the latest"):
        read(content, 200)


def test_a_second_agreed_encoding_is_tried() -> None:
    contract = small_contract([column(name) for name in COLUMNS], encodings=["utf-8", "cp1252"])
    frame, broken = read(f"{HEADING}\na,b,caf\xe9\n".encode("cp1252"), contract=contract)
    assert rows_of(frame) == [(2, "a", "b", "café")]
    assert not broken


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_an_odd_quote_in_the_last_line_spoils_the_line_where_nothing_is_missing(block: int) -> None:
    frame, broken = read(f'{HEADING}\na,b,c\nd,"e,f\n'.encode(), block)
    assert rows_of(frame) == [(2, "a", "b", "c")]
    assert [(row.line_number, row.rule) for row in broken] == [(3, "quotes")]


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_an_odd_quote_is_kept_where_it_opens_no_field_and_else_takes_only_its_line(block: int) -> None:
    content = f'{HEADING}\na,b 5" pipe,c\n"d","e, ""so""",f\ng,"never closed,i\nj,k,l\n'
    frame, broken = read(content.encode(), block)
    assert rows_of(frame) == [(2, "a", 'b 5" pipe', "c"), (3, "d", 'e, "so"', "f"), (5, "j", "k", "l")]
    assert [(row.line_number, row.rule) for row in broken] == [(4, "quotes")]


def test_a_quote_that_is_never_closed_takes_its_line_before_it_takes_memory() -> None:
    """A document of many megabytes after a stray quote is not collected in search of the other one."""
    content = f'{HEADING}\na,"b,c\n'.encode() + b"d,e,f\n" * 300_000
    stream = io.BytesIO(content)
    with blocks_of(64 << 10):
        batches = iter(DelimitedReader(CONTRACT, stream))
        first = next(batches)
        assert [(row.line_number, row.rule) for row in first.broken] == [(2, "quotes")]
        assert stream.tell() < len(content) * 0.8
        assert sum(batch.frame.height for batch in batches) == 300_000


def test_a_line_without_an_end_is_given_up_before_memory_is() -> None:
    stream = io.BytesIO(f"{HEADING}\n".encode() + b"x" * (8 << 20))
    with blocks_of(64 << 10), pytest.raises(Refused, match="line 2 does not end"):
        list(DelimitedReader(CONTRACT, stream))
    assert stream.tell() < 4 << 20


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@settings(max_examples=60)
@given(rows=_ROWS, block=_BLOCKS)
def test_utf_16_is_read_by_its_mark_where_it_was_agreed(codec: str, rows: list[tuple[str, ...]], block: int) -> None:
    contract = small_contract([column(name) for name in COLUMNS], encodings=["utf-8", "utf-16"])
    content = ("\ufeff" + written(rows, "\r\n").decode()).encode(codec)
    frame, broken = read(content, block, contract)
    assert not broken
    assert rows_of(frame) == with_line_numbers(rows)


def test_utf_16_that_ends_in_the_middle_of_a_character_is_refused() -> None:
    contract = small_contract([column(name) for name in COLUMNS], encodings=["utf-16"])
    with pytest.raises(Refused, match="cut short"):
        read(f"\ufeff{HEADING}\na,b,c\n".encode("utf-16-le")[:-1], contract=contract)


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_a_file_put_together_from_two_encodings_is_read_line_by_line(block: int) -> None:
    contract = small_contract([column(name) for name in COLUMNS], encodings=["utf-8", "cp1252"])
    lines = ["a,b,Zoë".encode("cp1252"), "d,e,Zoë".encode(), "g,h,“Ng”".encode("cp1252"), b"j,k,l"]
    frame, broken = read(b"\n".join([HEADING.encode(), *lines, b""]), block, contract)
    assert [row[3] for row in rows_of(frame)] == ["Zoë", "Zoë", "“Ng”", "l"]
    assert not broken


def test_line_ends_of_two_systems_in_one_file_are_read_alike() -> None:
    frame, broken = read(f'{HEADING}\r\na,b,c\nd,"e\r\nf",g\r\nh,i,j\n'.encode())
    assert rows_of(frame) == [(2, "a", "b", "c"), (3, "d", "e\nf", "g"), (5, "h", "i", "j")]
    assert not broken


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+44 20 7361 3000", "-2+3", "@SUM(A1)", "=1+1", "\t=2"])
def test_the_text_of_a_spreadsheet_formula_is_text(text: str) -> None:
    frame, broken = read(f'{HEADING}\n"{text}",b,c\n'.encode())
    assert rows_of(frame) == [(2, text, "b", "c")]
    assert not broken


PIPES = small_contract([column(name) for name in COLUMNS], delimiters=["|"])


def test_a_pipe_delimited_file_keeps_commas_and_a_pipe_inside_quotes() -> None:
    content = b'first|second|third\r\na, b|c; d|"e|f"\r\ng|h|i|j\r\n|k|\r\n'
    frame, broken = read(content, contract=PIPES)
    assert rows_of(frame) == [(2, "a, b", "c; d", "e|f"), (4, "", "k", "")]
    assert [(row.line_number, row.rule) for row in broken] == [(3, "column_count")]


TOKENS = small_contract(
    [
        column("number"),
        column(
            "person_token",
            origin={
                "token": {
                    "purpose": "person",
                    "parts": [
                        {"headings": ["Surname", "Last name"], "as": "name"},
                        {"headings": ["Forename"], "as": "name", "optional": True},
                        {"headings": ["DoB"], "as": "date"},
                    ],
                }
            },
            classification="pseudonymous",
        ),
    ]
)


@pytest.mark.parametrize("block", [7, 4096])
def test_parts_of_a_token_are_handed_over_and_their_headings_are_not_new(block: int) -> None:
    content = b'DoB,Last_Name,Number,Shoe size\n1980-01-02,"O\'Neil, jr",7,44\n,,8,\n'
    with blocks_of(block):
        document = DelimitedReader(TOKENS, io.BytesIO(content))
        frame = pl.concat(batch.frame for batch in document)
    assert document.layout.new_headings == ["Shoe size"]
    names = ["line_number", "number", "@person_token.1", "@person_token.3"]
    assert [tuple(value or "" for value in row) for row in frame.select(names).rows()] == [
        (2, "7", "O'Neil, jr", "1980-01-02"),
        (3, "8", "", ""),
    ]
    assert "@person_token.2" not in frame.columns


def test_a_document_without_a_part_of_a_token_is_refused_by_its_headings_alone() -> None:
    with pytest.raises(Refused, match="lacks the column Surname or Last name"):
        DelimitedReader(TOKENS, io.BytesIO(b"Number,DoB\n7,1980-01-02\n"))


@settings(max_examples=200)
@given(
    lines=st.lists(st.binary(max_size=30) | st.sampled_from([b"a,b,c", b'"a",b,"c"', b'a,"b\nc",d', b'a,"b,c'])),
    block=_BLOCKS,
    encodings=st.sampled_from([["utf-8"], ["utf-8", "cp1252"], ["cp1252"], ["utf-16", "utf-8"]]),
)
def test_whatever_bytes_come_they_are_read_or_quarantined_or_refused(
    lines: list[bytes], block: int, encodings: list[str]
) -> None:
    contract = small_contract([column(name) for name in COLUMNS], encodings=encodings)
    content = b"\n".join([HEADING.encode(), *lines, b""])
    try:
        frame, broken = read(content, block, contract)
    except Refused:
        return
    numbers = [row[0] for row in rows_of(frame)] + [row.line_number for row in broken]
    assert len(numbers) == len(set(numbers))
    assert all(2 <= number <= content.count(b"\n") for number in numbers)


def test_headings_may_differ_in_case_spacing_and_order_and_new_ones_are_noted() -> None:
    contract = small_contract([column(n) for n in COLUMNS], ignored_headings=["row id", r"/^x\d+$/"])
    content = b"THIRD ,new one,  Second,First,Row_ID,x12\nc,n,b,a,1,2\n"
    documents = DelimitedReader(contract, io.BytesIO(content))
    assert documents.layout.new_headings == ["new one"]
    assert rows_of(pl.concat(batch.frame for batch in documents)) == [(2, "a", "b", "c")]


def test_of_several_delimiters_the_one_that_cuts_the_heading_most_is_taken() -> None:
    contract = small_contract([column(n) for n in COLUMNS], delimiters=[",", ";"])
    frame, broken = read(b"first;second;third\na,1;b;c\n", contract=contract)
    assert rows_of(frame) == [(2, "a,1", "b", "c")]
    assert not broken


WIDE = small_contract(
    [
        column("place"),
        column("month", "date", {"cell": "period"}),
        column("count", "integer", {"cell": "value"}),
    ],
    format="wide",
    wide={"period_heading": r"^20\d{4}$", "period_format": "%Y%m"},
    period={"grain": "month", "column": "month"},
)


@pytest.mark.parametrize("block", [7, 40, 4096])
def test_a_wide_file_gives_a_record_a_cell_and_a_fault_a_cell(block: int) -> None:
    content = b'place,201701,201702\nHere,1,2\nThere,3\n"Else, where",5,6\n'
    frame, broken = read(content, block, WIDE)
    cells = sorted(frame.select("line_number", "place", "month", "count").rows())
    assert cells == [
        (2, "Here", "201701", "1"),
        (2, "Here", "201702", "2"),
        (4, "Else, where", "201701", "5"),
        (4, "Else, where", "201702", "6"),
    ]
    assert [(row.line_number, row.column_name) for row in broken] == [(3, "201701"), (3, "201702")]


def test_a_wide_file_with_no_month_or_a_month_twice_is_refused() -> None:
    with pytest.raises(Refused, match="no column for a month"):
        read(b"place,total\nHere,1\n", contract=WIDE)
    with pytest.raises(Refused, match="same month"):
        read(b"place,201701,201701\nHere,1,2\n", contract=WIDE)


JSON = small_contract(
    [
        column("number", "bigint", {"path": "id"}),
        column("street", "text", {"path": "location.street.name"}),
        column("remark", "text", {"path": "remark", "optional": True}),
    ],
    format="json",
)


def json_reader(content: Any) -> JsonReader:
    return JsonReader(JSON, io.BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode()))


def read_records(content: Any) -> tuple[pl.DataFrame, list[QuarantinedRow]]:
    batches = list(json_reader(content))
    return pl.concat(batch.frame for batch in batches), [row for batch in batches for row in batch.broken]


def test_json_records_are_read_by_their_paths() -> None:
    frame, broken = read_records(
        [{"id": 1, "location": {"street": {"name": "On or near A"}}}, {"id": 2, "location": None, "remark": "x"}]
    )
    assert frame.select("line_number", "number", "street", "remark").rows() == [
        (1, "1", "On or near A", None),
        (2, "2", None, "x"),
    ]
    assert not broken


def test_new_paths_of_json_records_are_noted() -> None:
    whole = {"id": 1, "location": {"street": {"name": "A", "id": 9}}, "outcome": {"month": "2018-06"}}
    content = [whole, {"id": 2, "location": {"street": None}}, {"id": 3, "location": None, "remark": None, "new": []}]
    assert json_reader(content).layout.new_headings == ["location.street.id", "outcome.month", "new"]
    assert json_reader([]).layout.new_headings == []


def test_a_json_record_with_a_character_that_no_database_keeps_falls_out() -> None:
    street = {"street": {"name": "A"}}
    content = [{"id": 1, "location": street}, {"id": "\0", "location": street}, {"id": "\ud83d", "location": street}]
    frame, broken = read_records(content)
    assert frame["line_number"].to_list() == [1]
    assert [(row.line_number, row.rule) for row in broken] == [(2, "unreadable"), (3, "unreadable")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'[{"id": 1, "location"', "no whole JSON"),
        (b'{"id": 1}', "no list of records"),
        (b"[1, 2]", "lack number, street"),
        (b"[" * 100_000, "nested too deeply|no whole JSON"),
        (b'[{"id": 1}]', "lack street"),
        (b"\xff[]", "UTF-8"),
    ],
)
def test_json_that_is_no_list_of_the_agreed_records_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_records(content)
