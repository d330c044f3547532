"""Expectations about monthly marts: what the ledger and the register say of counting is marked in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from great_expectations.expectations import UnexpectedRowsExpectation
from saferkc.recording.standing import as_standing, shown

# The rows of a mart that a change concerns: those of its series, feed and borough, and of the class that it names.
# Changes are said of a series as a whole and of its classes apart, those of wards of all that is counted by them.
# @words are the mart's own.
_CONCERNED = """
from {batch} as mart
inner join build_core.dim_recording_regime as regimes on mart.regime_key = regimes.regime_key
inner join intermediate.@changes as changes
    on (
        (
            (changes.series is null or changes.series = regimes.series)
            and (changes.class_name is null or changes.class_name = mart.@class_column)
            and changes.is_parent = mart.is_whole_series
        )
        or (
            changes.series in ('offences_by_ward', 'records_by_ward')
            and not changes.is_parent
            and mart.geography_type = 'ward'
        )
    )
    and (changes.ward_code is null or changes.ward_code = mart.ward_code)
    and (changes.borough_code is null or changes.borough_code = mart.borough_code)
    and (changes.feed is null or changes.feed in (@feeds))
"""


class _AboutCounting:
    """What they have in common: a query about a mart, and what its rows say.

    ``feeds`` are those that the mart counts, and ``class_column`` says what a row counts.
    """

    tells_evidence: ClassVar[bool] = True
    metric_dependencies = ("unexpected_rows_query.table",)
    changes: ClassVar[str]
    query: ClassVar[str]

    def __init__(self, **arguments: Any) -> None:
        column = arguments["class_column"]
        if re.fullmatch("[a-z_]+", column) is None:
            raise ValueError(f"class_column is {column!r}, which is no column")
        words = {
            "concerned": _CONCERNED,
            "changes": self.changes,
            "feeds": _quoted(arguments["feeds"]),
            "class_column": column,
        }
        query = self.query
        for name, word in words.items():
            query = query.replace(f"@{name}", word)
        super().__init__(**arguments | {"unexpected_rows_query": query})

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        del runtime_configuration, execution_engine
        told = self.told(metrics["unexpected_rows_query.table"])
        return {"success": not told, "result": {"observed_value": len(told), "details": {"evidence": told}}}

    @staticmethod
    def told(rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Say of each row of the query's what it means."""
        raise NotImplementedError

    @classmethod
    def _get_observed_value_from_evr(cls, result: Any) -> str:
        return shown(result.result if result else None)


class ExpectNoChangeSuspected(_AboutCounting, UnexpectedRowsExpectation):  # type: ignore[misc]
    """No change in counting is suspected in a series of the mart that nobody has confirmed or rejected."""

    feeds: list[str]
    class_column: str
    changes: ClassVar[str] = "int_recording__findings"
    query: ClassVar[str] = """
        select ledger.* from quality.recording_change as ledger
        where ledger.change_id in (
            select changes.change_id
            @concerned
            where changes.state = 'suspected' and changes.kind in ('recording', 'unsure') and not changes.is_level
                and mart.month >= changes.changed_on
        )
        order by ledger.change_id
    """

    @staticmethod
    def told(rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Each change with its evidence."""
        return [change.told for change in as_standing(rows)]


class ExpectNoYearComparedOverABreak(_AboutCounting, UnexpectedRowsExpectation):  # type: ignore[misc]
    """No row shows a change on the year before across a break, nor hides that a change is suspected in its month."""

    feeds: list[str]
    class_column: str
    changes: ClassVar[str] = "int_recording__changes_by_class"
    query: ClassVar[str] = """
        select changes.change_code, changes.changed_on, changes.treatment, count(*) as row_count
        @concerned
        where (
            changes.treatment = 'break'
            and mart.month >= changes.changed_on
            and mart.month - interval '1 year' < changes.changed_on
            and mart.change_on_same_month_last_year is not null
            -- somebody found that it did not happen here
            and not exists (
                select 1 from intermediate.int_recording__changes_by_class as rejected
                where rejected.treatment = 'rejected' and rejected.change_code = changes.change_code
                    and (rejected.borough_code is null or rejected.borough_code = mart.borough_code)
            )
        )
        or (
            changes.treatment = 'provisional'
            and mart.month between changes.provisional_from and changes.provisional_to
            and mart.comparability not in ('provisional', 'break')
        )
        group by changes.change_code, changes.changed_on, changes.treatment
        order by changes.changed_on
    """

    @staticmethod
    def told(rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Each change with the number of rows that are not marked."""
        return [
            f"{row['change_code']}, {row['changed_on']:%B %Y}: {row['row_count']} rows are "
            + ("compared across it." if row["treatment"] == "break" else "not marked as provisional.")
            for row in rows
        ]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join("'" + name.replace("'", "''") + "'" for name in names)
