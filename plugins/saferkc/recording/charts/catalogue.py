"""Which series there are, and by which names people ask for them: ``burglary/residential``.

The marts are found in the database by their columns, so a mart that is added is known without a list.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from saferkc.warehouse.connection import Connection, fetch_all

# the columns of a measure, behind its name: as recorded, by the rule of today, and the 90 % bounds of that
FIGURES = ("_as_recorded", "_comparable", "_comparable_low", "_comparable_high")
_PLACE_AND_TIME = {"geography_type", "geography_code", "month"}
# unique indexes of the published tables that say of a month whether it may be compared; those dbt builds stay unseen
_MARTS = r"""
select
    schemas.nspname as mart_schema,
    tables.relname as mart_table,
    (
        select array_agg(a.attname::text) from pg_attribute as a
        where a.attrelid = tables.oid and a.attnum > 0 and not a.attisdropped
    ) as all_columns,
    (
        select array_agg(a.attname::text) from pg_attribute as a
        where a.attrelid = tables.oid and a.attnum = any(keys.indkey)
    ) as key_columns
from pg_class as tables
inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
inner join pg_index as keys on tables.oid = keys.indrelid and keys.indisunique
where schemas.nspname not like 'build\_%' and tables.relname like '%\_monthly'
order by 1, 2
"""
# schemas whose names are short for something; the others are words already
_IN_WORDS = {"vawg": "violence against women and girls", "asb": "anti-social behaviour", "partnership": "offences"}
# schemas whose classes say what they are without it
_OF_MANY_THINGS = {"mopac_local", "serious_youth_violence"}
_WRITTEN = {
    "pspo": "PSPO", "angelou": "Angelou", "rahab": "Rahab", "anti semitic": "anti-Semitic",
    "islamophobic": "Islamophobic", "knightsbridge": "Knightsbridge", "non domestic": "non-domestic",
}  # fmt: skip


class UnknownSeriesError(Exception):
    """No series has that name, or several have; the message names those that are meant, perhaps."""


@dataclass(frozen=True)
class Mart:
    """A published monthly mart. ``measure`` is the counted thing, as in the column ``<measure>_as_recorded``."""

    schema: str
    table: str
    class_column: str
    measure: str
    columns: frozenset[str]

    @property
    def name(self) -> str:
        """Schema and table."""
        return f"{self.schema}.{self.table}"

    @property
    def is_published(self) -> bool:
        """Whether it is made of what the Metropolitan Police publishes, and not of records that agencies send."""
        return any(column.endswith("_as_published") for column in self.columns)

    @property
    def short_name(self) -> str:
        """The table without what every mart's name ends in."""
        return self.table.removesuffix("_monthly")


@dataclass(frozen=True)
class Series:
    """A class of a mart."""

    mart: Mart
    class_name: str

    @property
    def title(self) -> str:
        """What it is, in plain words."""
        schema = self.mart.schema
        subject = "" if schema in _OF_MANY_THINGS else _IN_WORDS.get(schema, schema.replace("_", " "))
        name = self.class_name.removeprefix("strand_").replace("_", " ")
        for word, written in _WRITTEN.items():
            name = re.sub(rf"\b{word}\b", written, name)
        name = re.sub(" all$", ", all", name)
        if name in ("all", subject):
            return f"All {subject}"
        # what a mart holds besides the plain counts of its priority, such as repeats
        kind = (
            self.mart.short_name.removeprefix(schema).strip("_").replace("_", " ")
            if "repeat" in self.mart.table
            else ""
        )
        words = ": ".join(filter(None, (", ".join(filter(None, (subject, kind))), name)))
        return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Catalogue:
    """All series of the published marts."""

    series: Sequence[Series]

    @cached_property
    def names(self) -> dict[str, Series]:
        """The shortest clear name of each series: ``<schema>/<class>``, or ``<mart>/<class>`` where several have it."""
        by_class: dict[str, list[Series]] = defaultdict(list)
        for series in self.series:
            by_class[f"{series.mart.schema}/{series.class_name}"].append(series)
        return {
            name if series is _chief(group) else f"{series.mart.short_name}/{series.class_name}": series
            for name, group in by_class.items()
            for series in group
        }

    def find(self, asked: str, mart: str | None = None) -> Series:
        """Return the series that somebody asks for, by its name or a clear part of it.

        ``asked`` is a class, or a schema or mart and a class with ``/`` or ``.`` between them; case, blanks and
        hyphens don't matter. ``mart`` narrows it to one mart. Raises ``UnknownSeriesError``.
        """
        parts = [_fold(part) for part in re.split(r"[/.]", asked)]
        among = [series for series in self.series if mart is None or _fold(mart) in _names_of(series.mart)]
        if mart is not None and not among:
            raise UnknownSeriesError(f"there is no mart {mart}{self._perhaps(mart, self._marts())}")
        fitting = [
            series for series in among if series.class_name == parts[-1] and set(parts[:-1]) <= _names_of(series.mart)
        ]
        chief = _chief(fitting) if len({series.mart.schema for series in fitting}) == 1 else None
        if chief is not None:
            return chief
        names = {id(series): name for name, series in self.names.items()}
        if fitting:
            raise UnknownSeriesError(f"several series are called {asked}: {', '.join(names[id(s)] for s in fitting)}")
        whole = [names[id(s)] for s in among if set(parts) <= _names_of(s.mart)]
        if whole:
            raise UnknownSeriesError(f"{asked} has several series: {', '.join(sorted(whole))}")
        raise UnknownSeriesError(f"there is no series {asked}{self._perhaps('/'.join(parts), list(self.names))}")

    def _marts(self) -> list[str]:
        return sorted({series.mart.table for series in self.series})

    def _perhaps(self, asked: str, names: Sequence[str]) -> str:
        near = difflib.get_close_matches(asked, names, n=3, cutoff=0.5)
        part = asked.rpartition("/")[2]
        near += [name for name in names if part in name and name not in near][: 3 - len(near)]
        meant = f"; did you mean {' or '.join(near)}?" if near else "."
        return f"{meant} `saferkc changes show` lists what there is"


def read_catalogue(connection: Connection, only: Collection[str] | None = None) -> Catalogue:
    """Find the published monthly marts and their classes; empty where nothing was published.

    ``only`` are marts (``schema.table``) beside which no other is read.
    """
    found = []
    for row in fetch_all(connection, _MARTS):
        if only is not None and f"{row['mart_schema']}.{row['mart_table']}" not in only:
            continue
        columns = frozenset(row["all_columns"])
        rest = set(row["key_columns"]) - _PLACE_AND_TIME
        names = {name.removesuffix(FIGURES[0]) for name in columns if name.endswith(FIGURES[0])}
        measures = [name for name in names if {f"{name}{kind}" for kind in FIGURES} <= columns]
        if (
            {"comparability", "is_whole_series", "regime_key", *_PLACE_AND_TIME} <= columns
            and len(rest) == 1
            and len(measures) == 1
        ):
            mart = Mart(row["mart_schema"], row["mart_table"], rest.pop(), measures.pop(), columns)
            found += [Series(mart, name) for name in _classes(connection, mart)]
    return Catalogue(found)


def _classes(connection: Connection, mart: Mart) -> list[str]:
    query = sql.SQL("select distinct {} from {} order by 1").format(
        sql.Identifier(mart.class_column), sql.Identifier(mart.schema, mart.table)
    )
    return [row[0] for row in connection.execute(query).fetchall()]


def _chief(group: Sequence[Series]) -> Series | None:
    """Of series of one schema and class, the one that is meant where no mart is named."""
    if len(group) == 1:
        return group[0]
    return next((series for series in group if series.mart.short_name == series.mart.schema), None)


def _names_of(mart: Mart) -> set[str]:
    return {mart.schema, mart.table, mart.short_name, _fold(mart.name)}


def _fold(text: str) -> str:
    return re.sub(r"[\s\-]+", "_", text.strip().lower())
