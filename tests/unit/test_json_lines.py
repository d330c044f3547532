"""JSON records, one a line: every whole one comes out with its line, and a broken one takes no other with it."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saferkc.contracts import Contract
from saferkc.loading import json_lines, reader
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.json_lines import JsonLinesReader, JsonReader
from small_contracts import column, small_contract

COLUMNS = [
    column("number", "bigint", {"path": "id"}),
    column("ward", "text", {"path": "place.ward"}),
    column("remark", "text", {"path": "remark", "optional": True}),
    column(
        "subject_token",
        origin={
            "token": {
                "purpose": "person",
                "parts": [
                    {"path": "subject.name", "as": "name"},
                    {"path": "subject.born", "as": "date", "optional": True},
                ],
            }
        },
        classification="pseudonymous",
    ),
]
CONTRACT = small_contract(COLUMNS, format="json_lines")
NAMES = ["line_number", "number", "ward", "remark", "@subject_token.1", "@subject_token.2"]


def record(number: Any, ward: Any = "Norland", **more: Any) -> dict[str, Any]:
    return {"id": number, "place": {"ward": ward}, "subject": {"name": "Nevershown"}} | more


def lines(*records: Any) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def read(
    content: bytes, block: int = 1 << 20, contract: Contract = CONTRACT
) -> tuple[list[tuple[Any, ...]], list[QuarantinedRow], JsonLinesReader]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_BYTES", block)
        document = JsonLinesReader(contract, io.BytesIO(content))
        batches = list(document)
    frames = [batch.frame for batch in batches]
    rows = pl.concat(frames).select(NAMES).rows() if frames else []
    return rows, [one for batch in batches for one in batch.broken], document


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@settings(max_examples=150)
@given(
    records=st.lists(st.tuples(st.integers(), _VALUES.filter(lambda value: value is not None), _VALUES), max_size=20),
    block=st.integers(1, 500),
    ascii_only=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
)
def test_every_record_comes_out_with_its_line(
    records: list[tuple[Any, ...]], block: int, ascii_only: bool, line_end: str, mark: bool
) -> None:
    content = "".join(
        json.dumps(record(number, ward, remark=remark), ensure_ascii=ascii_only) + line_end
        for number, ward, remark in records
    )
    rows, broken, _ = read(("\ufeff" * mark + content).encode() or b"\n", block)

    def text(value: Any) -> str | None:
        return value if value is None or isinstance(value, str) else json.dumps(value)

    whole = [
        (line, str(number), text(ward), text(remark), "Nevershown", None)
        for line, (number, ward, remark) in enumerate(records, 1)
        if "\0" not in f"{ward}{remark}"
    ]
    assert rows == whole
    assert len(rows) + len(broken) == len(records)
    assert {one.rule for one in broken} <= {"unreadable"}


@given(
    pieces=st.lists(st.binary(max_size=20) | st.sampled_from([b"\n", b'{"id": 1}\n', b'{"id": ', b"}", b"[[", b'"'])),
    block=st.integers(1, 100),
)
def test_whatever_bytes_come_they_are_read_or_quarantined_or_refused(pieces: list[bytes], block: int) -> None:
    content = b"".join(pieces) + b"\n"
    try:
        rows, broken, _ = read(lines(record(0)) + content, block)
    except Refused:
        return
    held = sum(1 for line in content.split(b"\n") if line.strip())
    assert len(rows) + len(broken) == held + 1


@pytest.mark.parametrize("block", [1, 30, 4096])
@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"id": 2, "place"', "json"),
        (b"[1, 2]", "json"),
        (b'"text"', "json"),
        (b"null", "json"),
        (b'{"id": NaN}', "json"),
        (b'{"id": 2}{"id": 3}', "json"),
        (b"[" * 5_000, "json"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "json"),
        (b'{"id": "caf\xe9"}', "encoding"),
        (b'{"id": "\\u0000"}', "unreadable"),
        (b'{"id": "\\ud83d"}', "unreadable"),
    ],
)
def test_a_broken_line_takes_no_other_with_it(line: bytes, rule: str, block: int) -> None:
    rows, broken, document = read(lines(record(1)) + line + b"\n\n" + lines(record(4, remark="x")), block)
    assert [row[:4] for row in rows] == [(1, "1", "Norland", None), (4, "4", "Norland", "x")]
    assert [(one.line_number, one.rule) for one in broken] == [(2, rule)]
    assert document.layout.new_headings == []


def test_parts_of_tokens_are_handed_over_and_new_paths_are_noted() -> None:
    subject = {"subject": {"name": "Nevershown", "born": "1980-01-02", "shoe": 44}}
    rows, _, document = read(lines(record(1), record(2, **subject, officer={"badge": 1}), record(3, subject=None)))
    assert [row[4:] for row in rows] == [("Nevershown", None), ("Nevershown", "1980-01-02"), (None, None)]
    assert document.layout.new_headings == ["subject.shoe", "officer.badge"]


@pytest.mark.parametrize("block", [10, 4096])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (lines(record(1))[:-1], "last line has no end"),
        (lines(record(1)) + b'{"id": 2, "pl', "last line has no end"),
        (lines({"id": 1}, {"id": 2, "subject": {"name": "x"}}), r"lack ward$"),
        (lines({"id": 1, "place": {"ward": "x"}}), r"lack subject\.name$"),
        ("\ufeff{}\n".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_what_is_not_whole_is_refused(content: bytes, why: str, block: int) -> None:
    with pytest.raises(Refused, match=why):
        read(content, block)


def test_a_line_without_an_end_is_given_up_before_memory_is() -> None:
    stream = io.BytesIO(b'{"id": "' + b"x" * (16 << 20))
    with pytest.raises(Refused, match="does not end"):
        list(JsonLinesReader(CONTRACT, stream))
    assert stream.tell() < 8 << 20


def test_a_page_of_an_interface_has_its_records_at_a_path() -> None:
    contract = small_contract(COLUMNS, format="json", records_path="data.items")
    page = {"data": {"items": [record(1), record(2)], "next": "/3"}}
    (batch,) = JsonReader(contract, io.BytesIO(json.dumps(page).encode()))
    assert batch.frame["number"].to_list() == ["1", "2"]
    assert batch.frame["@subject_token.1"].to_list() == ["Nevershown", "Nevershown"]
    for other in ({"data": [record(1)]}, {"data": {"items": None}}, [record(1)]):
        with pytest.raises(Refused, match=r"no list of records at data\.items"):
            JsonReader(contract, io.BytesIO(json.dumps(other).encode()))


def test_a_step_in_slashes_is_what_the_name_may_be() -> None:
    columns = [column("area", "text", {"path": "properties./^(?:LSOA|WD)[0-9]{2}CD$/"})]
    contract = small_contract(columns, format="json", ignored_headings=["properties./^LONG|LAT$/"])
    areas = [{"properties": {"FID": 1, "LSOA21CD": "a", "LAT": 51}}, {"properties": {"WD25CD": "b", "LONG": 0}}]
    document = JsonReader(contract, io.BytesIO(json.dumps(areas).encode()))
    (batch,) = document
    assert batch.frame["area"].to_list() == ["a", "b"]
    assert document.layout.new_headings == ["properties.FID"]
    with pytest.raises(Refused, match="lack area"):
        JsonReader(contract, io.BytesIO(json.dumps([{"properties": {"WD1CD": "b"}}]).encode()))


def test_reasons_hold_no_value_of_the_document() -> None:
    content = b'{"id": "Nevershown", "place": \n' + lines(record(2))
    _, broken, _ = read(content)
    assert "Nevershown" not in repr(broken)
    with pytest.raises(Refused) as refused:
        JsonReader(small_contract(COLUMNS, format="json"), io.BytesIO(b'[{"id": "Nevershown"'))
    assert "Nevershown" not in repr(refused.value) and refused.value.__cause__ is None


def test_new_paths_are_noted_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_MOST_NEW_PATHS", 5)
    _, _, document = read(lines(*(record(n, **{f"field_{n}": 1}) for n in range(20))))
    assert document.layout.new_headings == [f"field_{n}" for n in range(5)]
