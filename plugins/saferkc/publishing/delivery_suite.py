"""The checks that a contract makes of a delivery's rows, to be asked of raw."""

from __future__ import annotations

import re
from collections.abc import Sequence

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.contracts.labels import fold_label
from saferkc.contracts.model import Column, Quality
from saferkc.publishing.checks import NO_ROWS, Check

_LOOK = "Look at the delivery in quality.delivery and its file in landing; if the agency sent it so, ask them."
_MEND = "A fault of loading, not of the agency: tell the engineers, who mend it and load the delivery again."
_LEAK = (
    "An identity may stand in the warehouse: stop the nightlies and tell the engineers and the data protection officer"
    " at once; docs/runbook/an-identity-got-in.md says what to do."
)
# ^[class]{length}$: asked as a length and a character outside the class, at an eighth of the cost
_SIMPLE_PATTERN = re.compile(r"^\^\[([^\]^]+)\]\{(\d+)\}\$$")


def suite_of(contract: Contract, delivery_ids: Sequence[int]) -> list[Check]:
    """Return the checks that a contract makes of the rows of the given deliveries."""
    checks: list[Check] = []
    for column in contract.columns:
        checks += _column_checks(contract.feed, column, delivery_ids)
    return [*checks, _stands_once(contract, delivery_ids), _equals_account(delivery_ids)]


def _column_checks(feed: str, column: Column, delivery_ids: Sequence[int]) -> list[Check]:
    checks = []
    if column.required:
        checks.append(
            Check(
                name=f"{column.name} is given",
                expectation="expect_column_values_to_not_be_null",
                severity="error",
                column=column.name,
                meaning=f"Rows of {feed} lack {column.name}, which the contract requires.",
                next_step=_LOOK,
            )
        )
    for rule in column.quality:
        if rule.metric == "invalidValues" and rule.valid_values:
            checks.append(_known_codes(column, rule, delivery_ids))
    limits = column.options
    if limits.minimum is not None or limits.maximum is not None:
        checks.append(
            Check(
                name=f"{column.name} lies within its limits",
                expectation="expect_column_values_to_be_between",
                severity="error",
                column=column.name,
                arguments={"min_value": limits.minimum, "max_value": limits.maximum},
                meaning=f"Values of {column.name} lie outside {limits.minimum:g} to {limits.maximum:g}."
                if limits.minimum is not None and limits.maximum is not None
                else f"Values of {column.name} lie outside their limit.",
                next_step=_MEND,
            )
        )
    if column.token:
        checks.append(_only_tokens(column, delivery_ids))
    if limits.max_length is not None:
        checks.append(
            Check(
                name=f"{column.name} is not too long",
                expectation="expect_column_value_lengths_to_be_between",
                severity="error",
                column=column.name,
                arguments={"max_value": limits.max_length},
                meaning=f"Values of {column.name} are longer than {limits.max_length} characters.",
                next_step=_MEND,
            )
        )
    faulty = _faulty_text(column)
    if faulty is not None:
        checks.append(
            _no_rows(
                name=f"{column.name} is written as agreed",
                column=column.name,
                query=_among(delivery_ids, faulty),
                meaning=f"Values of {column.name} are not written as the contract says.",
                next_step=_MEND,
            )
        )
    return checks


def _known_codes(column: Column, rule: Quality, delivery_ids: Sequence[int]) -> Check:
    """That values are of the code list, or fold to one of it where the contract says so; each code of a cell."""
    folds = bool(rule.arguments.get("foldLabels"))
    query = None
    if folds or column.origin.split:
        name, code = sql.Identifier(column.name), sql.Identifier("code")
        known = sorted({fold_label(value) if folds else value for value in rule.valid_values})
        codes = sql.SQL("string_to_table({}, '|')").format(name) if column.origin.split else name
        query = _among(
            delivery_ids,
            sql.SQL(
                "select 1 from (select distinct {} as code from @batch where @among offset 0) as codes"
                " where {} <> all ({})"
            ).format(codes, _folded(code) if folds else code, sql.Literal(known)),
        )
    return Check(
        name=rule.name,
        expectation=NO_ROWS if query else "expect_column_values_to_be_in_set",
        severity=rule.severity,
        column=column.name,
        query=query,
        arguments={} if query else {"value_set": rule.valid_values},
        meaning=f"Values of {column.name} are new to the contract: {rule.description}",
        next_step="Ask the agency what the new value means, then add it to the contract.",
    )


def _folded(name: sql.Identifier) -> sql.Composable:
    """``fold_label`` in SQL."""
    return sql.SQL(
        r"btrim(regexp_replace(regexp_replace(replace(lower({}), '&', ' and '), '\mst\.', 'st', 'g'), '\s+', ' ', 'g'))"
    ).format(name)


def _faulty_text(column: Column) -> sql.Composable | None:
    """SQL from ``@batch`` and its restriction (``@among``) to one row a faulty text, at the least cost."""
    name = sql.Identifier(column.name)
    pattern = column.options.pattern
    if pattern is None:
        return None
    simple = _SIMPLE_PATTERN.match(pattern)
    if simple is not None:
        return sql.SQL("select 1 from @batch where @among and (length({0}) <> {1} or {0} ~ {2})").format(
            name, sql.Literal(int(simple[2])), sql.Literal(f"[^{simple[1]}]")
        )
    # codes repeat: a pattern is tried once a code and not once a row; `offset 0` keeps it from moving inwards
    return sql.SQL(
        "select 1 from (select distinct {0} from @batch where @among offset 0) as codes where {0} !~ {1}"
    ).format(name, sql.Literal(pattern))


def _only_tokens(column: Column, delivery_ids: Sequence[int]) -> Check:
    """That a column of tokens holds nothing else: whatever else it held might be somebody's name."""
    digits = sql.SQL("split_part({}, ':', 2)").format(sql.Identifier(column.name))
    return _no_rows(
        name=f"{column.name} holds tokens only",
        column=column.name,
        query=_among(
            delivery_ids,
            sql.SQL(
                "select 1 from @batch where @among and ({0} !~ '^k[0-9]+:' or length({1}) <> 32 or {1} ~ '[^0-9a-f]'"
                " or length({0}) <> strpos({0}, ':') + 32)"
            ).format(sql.Identifier(column.name), digits),
        ),
        meaning=f"Values of {column.name} are no keyed tokens.",
        next_step=_LEAK,
    )


def _stands_once(contract: Contract, delivery_ids: Sequence[int]) -> Check:
    if contract.delivery.extract == "period":
        query = (
            # what covers the same stretch can hold the same record; all of history need not be read
            "with version as not materialized (select * from @batch where withdrawn_delivery_id is null"
            " and delivery_id in (select other.delivery_id from quality.delivery_coverage as own"
            " join quality.delivery_coverage as other using (feed, scope, period) where own.@among))"
            # scopes, which may share a record, are looked up for the repeated ones: that spares a join of every row
            " select 1 from (select record_key, occurrence, period from version"
            " group by record_key, occurrence, period having count(*) > 1 offset 0) as repeated"
            " join version using (record_key, occurrence, period) join quality.delivery as d using (delivery_id)"
            " group by record_key, occurrence, period, d.scope having count(*) > 1"
        )
    else:  # an earlier version may have come with any delivery; it is looked up by its key
        # by its key, and not joined with the keys that came: where the planner takes both for few, which it does of a
        # table that it has no statistics of, it would hold every row against every key
        query = (
            "select 1 from @batch as version join quality.delivery as d using (delivery_id)"
            " where version.withdrawn_delivery_id is null"
            " and record_key in (select record_key from @batch where @among)"
            " group by record_key, d.scope having count(*) > 1"
        )
    return _no_rows(
        name="every record stands once",
        query=_among(delivery_ids, sql.SQL(query)),
        meaning=f"Records of {contract.feed} stand twice among the current ones, so they would be counted twice.",
        next_step=_MEND,
    )


def _equals_account(delivery_ids: Sequence[int]) -> Check:
    return _no_rows(
        name="rows equal the account",
        query=_among(
            delivery_ids,
            sql.SQL(
                "select 1 from quality.delivery as d"
                " left join (select delivery_id, count(*) as rows from @batch where @among group by 1) as r"
                " using (delivery_id)"
                " left join (select delivery_id, count(*) as rows from quality.quarantine where @among"
                " group by 1) as q using (delivery_id)"
                " where @among and (d.rows_admitted <> coalesce(r.rows, 0)"
                " or d.rows_quarantined <> coalesce(q.rows, 0)"
                " or d.rows_in <> d.rows_admitted + d.rows_unchanged + d.rows_quarantined)"
            ),
        ),
        meaning="Rows in raw and in quarantine do not add up to what quality.delivery says of the delivery.",
        next_step=_MEND,
    )


def _no_rows(*, name: str, query: str, meaning: str, next_step: str, column: str | None = None) -> Check:
    return Check(
        name=name,
        expectation=NO_ROWS,
        severity="error",
        column=column,
        query=query,
        meaning=meaning,
        next_step=next_step,
    )


def _among(delivery_ids: Sequence[int], query: sql.Composable) -> str:
    """Fill in the restriction; the table is GX's ``{batch}``, so braces of the query itself are doubled."""
    ids = ", ".join(str(int(delivery_id)) for delivery_id in delivery_ids)
    text = query.as_string(None).replace("{", "{{").replace("}", "}}")
    return text.replace("@batch", "{batch}").replace("@among", f"delivery_id in ({ids})")
