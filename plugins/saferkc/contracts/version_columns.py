"""The columns that every raw table holds before its contract's: which version of a record a row is."""

from __future__ import annotations

# name, type, meaning: what every raw table holds before its contract's columns
VERSION_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("delivery_id", "bigint not null", "The delivery that first brought this version of the record."),
    (
        "line_number",
        "integer not null",
        "The line (or the record's place) in that delivery's document, from 1.",
    ),
    ("record_key", "uuid not null", "Hash of the record key, the same in every version of a record."),
    ("row_hash", "uuid not null", "Hash of all the contract's columns, different in every version."),
    ("occurrence", "integer not null", "1, 2, … for identical rows that are separate records."),
    ("period", "date not null", "First day of the month or year that the record belongs to."),
    (
        "withdrawn_delivery_id",
        "bigint",
        "The delivery that replaced or withdrew this version; NULL while current.",
    ),
)
