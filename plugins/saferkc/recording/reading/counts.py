"""Counting in the database: one query a tree, and only counts leave it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from saferkc.contracts.labels import fold_label
from saferkc.recording.reading.boroughs import Boroughs
from saferkc.recording.reading.trees import Tree
from saferkc.warehouse.connection import Connection

_NOW = "r.withdrawn_delivery_id is null"
# as it stood before a delivery came
_BEFORE = "r.delivery_id < %(before)s and (r.withdrawn_delivery_id is null or r.withdrawn_delivery_id >= %(before)s)"


@dataclass(frozen=True)
class Cell:
    """Records of one class in one area and month; ``month`` is None for all months before those asked for.

    ``child`` is None where the class is not told: all records of the whole. ``measures`` are the tree's flags, then
    its qualities as pairs (having, asked).
    """

    area: str
    parent: str
    child: str | None
    month: date | None
    count: float
    measures: tuple[float, ...]


def count(
    connection: Connection,
    tree: Tree,
    boroughs: Boroughs,
    *,
    is_simulated: bool,
    since: date | None = None,
    before: int | None = None,
) -> list[Cell]:
    """Count the records of ``tree`` by area, whole, class and month, as they stand or as before delivery ``before``.

    Labels that differ only in spelling are one. Areas that are no borough of London are left out.
    """
    statement = _statement(tree, _NOW if before is None else _BEFORE)
    asked = {"simulated": is_simulated, "since": since, "before": before}
    found = connection.execute(statement.encode(), asked).fetchall()
    spelt = _spellings((*(row[1] for row in found), *(row[2] for row in found)))
    sums: dict[tuple[str, str, str | None, date | None], list[float]] = defaultdict(list)
    for area, parent, child, month, *numbers in found:
        code = boroughs.code(area)
        if code is None or not parent:
            continue
        key = code, spelt[fold_label(parent)], spelt[fold_label(child)] if child else None, month
        sums[key] = [a + b for a, b in zip(sums[key], numbers, strict=True)] if key in sums else numbers
    return [Cell(*key, numbers[0], tuple(numbers[1:])) for key, numbers in sums.items()]


def _statement(tree: Tree, standing: str) -> str:
    measures = [f"count(*) filter (where {condition})::float" for condition in tree.flags.values()]
    for quality in tree.qualities:
        measures += [f"count(*) filter (where {condition})::float" for condition in (
            f"({quality.of}) and ({quality.having})", quality.of
        )]  # fmt: skip
    child, labels = tree.child, ""
    if tree.is_joined:
        # beside its classes each record stands once without any: that is the whole
        child = "label"
        labels = f"cross join lateral unnest(array_append(string_to_array({tree.child}, '|'), null)) as label"
    columns = ", ".join([f"({tree.count})::float", *measures])
    # all words but the parameters are our own
    return f"""
        select {tree.area or "null"}, {tree.parent}, {child},
            case when r.period >= coalesce(%(since)s::date, r.period) then r.period end, {columns}
        from raw.{tree.feed} as r
        inner join quality.delivery as d on r.delivery_id = d.delivery_id
        {labels}
        where {standing} and d.is_simulated = %(simulated)s and ({tree.where})
        group by 1, 2, 3, 4
    """  # noqa: S608


def _spellings(labels: Sequence[str | None]) -> Mapping[str, str]:
    """One spelling for each folded label, the same whatever the order of the rows."""
    return {fold_label(label): label for label in sorted({label for label in labels if label}, reverse=True)}
