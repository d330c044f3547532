"""The Board's pack: what it prints is what the facts say, through the gate, and made of published marts only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np
import psycopg
import pytest
import yaml
from marts_helpers import query
from psycopg import sql
from pypdf import PdfReader
from saferkc.disclosure import Rule
from saferkc.pack.content import PackContent, make_content
from saferkc.pack.guard import Guard
from saferkc.pack.outline import OutlineError, Row, read_outline
from saferkc.pack.periods import compare, spans_of
from saferkc.pack.read import NoFiguresError, find_series, read_months
from saferkc.pack.write import Pack, make_pack
from saferkc.recording.months import months_between
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect
from scipy.optimize import linprog

DAY = date(2026, 11, 27)
DECEMBER = date(2017, 12, 1)
RULE = Rule(suppress_up_to=7, round_to=5, values_left=5)
LEDGERS = (
    "quality.delivery",
    "quality.build_delivery",
    "quality.alert",
    "quality.recording_change",
    # which class a change of the ledger concerns, without which a confirmed change would be no gap in its chart
    "intermediate.int_recording__findings",
)
ROLE = "pack_reader"


class _Tables(HTMLParser):
    """Tables of a page: class of the table, and its rows of texts under the heading before it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, list[str]]] = []
        self._section, self._kind, self._cell, self._row = "", "", "", None  # type: tuple[str, str, str, list[str] | None]
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._kind = dict(attrs).get("class") or ""
        if tag == "tr":
            self._row = []
        if tag in ("th", "td", "h2"):
            self._in, self._cell = tag, ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self._section = self._cell.strip()
        if tag in ("th", "td") and self._row is not None:
            self._row.append(" ".join(self._cell.split()))
        if tag == "tr" and self._row is not None:
            self.rows.append((self._section, self._kind, self._row))
            self._row = None
        if tag == self._in:
            self._in = None


@dataclass(frozen=True)
class Printed:
    """A pack as it was written, its figures (label to nine cells), rows of the plan (measure to cells) and texts."""

    pack: Pack
    figures: dict[str, list[str]]
    plan: dict[str, list[str]]
    html: str
    pdf: PdfReader
    pdf_text: str


def exposed() -> set[str]:
    """The marts that the exposure of the pack names, as schema.table."""
    folder = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "marts"
    exposures = yaml.safe_load((folder / "partnership" / "exposures.yml").read_text())["exposures"]
    (pack,) = [one for one in exposures if one["name"] == "performance_pack"]
    names = [re.fullmatch(r"ref\('(\w+)'\)", one)[1] for one in pack["depends_on"]]  # type: ignore[index]
    return {f"{next(folder.rglob(f'{name}.sql')).parent.name}.{name}" for name in names}


@pytest.fixture(scope="module")
def reader(published_warehouse: Settings) -> Iterator[Settings]:
    """Settings of somebody who may read the marts that the exposure names, and the ledgers, and nothing else."""
    relations = [*sorted(exposed()), "core.published_build", *LEDGERS]
    with connect(published_warehouse) as connection:
        connection.execute(f"drop role if exists {ROLE}")
        connection.execute(f"create role {ROLE} login password 'pack'")
        for relation in relations:
            schema, table = relation.split(".")
            connection.execute(sql.SQL("grant usage on schema {} to pack_reader").format(sql.Identifier(schema)))
            granted = sql.Identifier(schema, table)
            connection.execute(sql.SQL("grant select on {} to pack_reader").format(granted))
    parts = urlsplit(published_warehouse.warehouse_url)
    url = urlunsplit(parts._replace(netloc=f"{ROLE}:{quote('pack')}@{parts.hostname}:{parts.port}"))
    yield replace(published_warehouse, external_warehouse_url=url)
    with connect(published_warehouse) as connection:
        connection.execute(f"drop owned by {ROLE}")
        connection.execute(f"drop role {ROLE}")


@pytest.fixture(scope="module")
def printed(reader: Settings, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    pack = make_pack(reader, out=tmp_path_factory.mktemp("pack"), made_on=DAY)
    tables = _Tables()
    tables.feed(pack.html.read_text())
    pdf = PdfReader(pack.pdf)
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    return Printed(
        pack,
        {row[0]: row[1:] for _, kind, row in tables.rows if kind == "figures" and len(row) == 10 and row[0] != "Now"},
        {row[0]: row[1:] for _, kind, row in tables.rows if kind == "plan"},
        pack.html.read_text(),
        pdf,
        text,
    )


def content(settings: Settings, month: date | None) -> PackContent:
    with connect(settings) as connection:
        return make_content(connection, settings, month=month, audience="board", made_on=DAY)


def rounded(count: int) -> str:
    return "[c]" if count <= 7 else f"{(count + 2) // 5 * 5:,}"


def test_it_is_made_by_somebody_who_may_read_published_marts_and_ledgers_only(
    reader: Settings, printed: Printed
) -> None:
    assert printed.figures
    assert read_outline("board").relations() <= exposed()
    rows = query(
        reader,
        "select n.nspname || '.' || c.relname, has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid,"
        " 'select') from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid"
        " where c.relkind in ('r', 'v', 'm', 'p') and n.nspname !~ '^pg_|^information_schema'",
    )
    readable = {name for name, may in rows if may}
    assert readable == exposed() | {"core.published_build", *LEDGERS}
    assert sum(name.startswith(("raw.", "intermediate.", "staging.")) for name, _ in rows) > 20
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(reader, "select 1 from core.fct_offence limit 1")


def test_its_figures_are_those_of_the_facts_rounded(published_warehouse: Settings, printed: Printed) -> None:
    spans = [("2017-12-01", "2018-01-01"), ("2017-10-01", "2018-01-01"), ("2017-04-01", "2018-01-01")]
    facts = {
        "Domestic abuse": "is_domestic_abuse",
        "All hate crime": "is_hate_crime",
        "Firearm": "is_firearm",
    }
    for label, condition in facts.items():
        for number, (first, after) in enumerate(spans):
            now, before = (
                query(
                    published_warehouse,
                    "select count(*) from core.fct_offence as f inner join core.dim_borough as b using (borough_key)"
                    f" where b.borough_code = 'E09000020' and {condition} and recorded_date >= date '{first}' - {back}"
                    f" and recorded_date < date '{after}' - {back}",
                )[0][0]
                for back in ("interval '0'", "interval '1 year'")
            )
            cells = printed.figures[label][3 * number : 3 * number + 3]
            if label == "Firearm" and number == 0:
                assert cells == ["[s]"] * 3
                continue
            assert now > 7
            assert cells[:2] == [f"{rounded(now)} [p]", rounded(before)], (label, first)
            change = int(rounded(now).replace(",", "")) - int(rounded(before).replace(",", ""))
            assert cells[2].split(" (")[0] == ("no change" if change == 0 else f"{change:+,}")


def test_a_class_of_burglary_is_compared_by_the_rule_of_today_and_all_offences_not_across_a_break(
    published_warehouse: Settings, printed: Printed
) -> None:
    today = query(
        published_warehouse,
        "select sum(offences_comparable) from burglary.burglary_police_monthly where geography_code = 'E09000020'"
        " and burglary_class = 'residential' and month between '2016-04-01' and '2016-12-01'",
    )[0][0]
    assert printed.figures["Residential"][7] == f"{rounded(int(today))} [r]"
    early = content(published_warehouse, date(2015, 12, 1))
    (row,) = early.values["sections"][0]["rows"]
    assert [cell["before"] for cell in row["cells"]] == ["[b]"] * 3
    assert [cell["change"] for cell in row["cells"]] == ["[b]"] * 3
    assert any("1 April 2015" in note for note in early.values["sections"][0]["notes"])
    assert "not compared with the year before" in early.values["glance"][0]


def test_no_small_number_is_printed_or_drawn(published_warehouse: Settings, printed: Printed) -> None:
    counts = [cell for cells in printed.figures.values() for place, cell in enumerate(cells) if place % 3 < 2]
    numbers = [int(cell.split(" ")[0].replace(",", "")) for cell in counts if cell[0].isdigit()]
    assert len(numbers) > 100
    assert {number % 5 for number in numbers} == {0}
    assert min(numbers) >= 10
    assert "[c]" in counts
    plan = [cell for cells in printed.plan.values() for cell in cells[:3] if re.fullmatch(r"[\d,]+", cell)]
    assert min(int(cell.replace(",", "")) for cell in plan) > 7
    again = content(published_warehouse, None)
    drawn = [
        value
        for chart in again.charts.values()
        for point in chart.points
        for value in (point.as_recorded, point.comparable, point.low, point.high)
        if value is not None
    ]
    assert len(drawn) > 500
    assert {value % 5 for value in drawn} == {0}
    assert min(drawn) >= 10


def test_the_plans_figures_stand_beside_what_the_data_say_and_small_ones_are_not_repeated(printed: Printed) -> None:
    assert printed.plan["Referrals to the Angelou Partnership"] == ["632", "630", "same year", "agrees"]
    assert printed.plan["Sanction detection rate, burglary"] == ["7%", "7%", "same year", "agrees"]
    assert printed.plan["Change in burglary on 2015/16"][:2] == ["-8%", "-8%"]
    # the plan prints 4: that the data agree would say so as well
    assert printed.plan["Police-recorded female genital mutilation"] == ["[c]", "[c]", "same year", ""]


def test_html_and_pdf_say_the_same_and_the_pdf_is_tagged(printed: Printed) -> None:
    for label, cells in (printed.figures | printed.plan).items():
        row = " ".join([label, *cells]).strip()
        assert row in printed.pdf_text, row
    for said in ("SIMULATED DATA", "What was not known by then", "nothing has been delivered", "December 2017"):
        assert said in printed.html
        assert said in printed.pdf_text
    root = printed.pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert printed.html.count("<img src=") == len(re.findall("/Figure", str(_structure(root["/StructTreeRoot"]))))
    assert printed.pack.html.name == "simulated_performance_pack_board_2017-12.html"


def _structure(node: object, depth: int = 0) -> list[str]:
    """The kinds of a PDF's structure tree."""
    found: list[str] = []
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, dict) and depth < 40:
        found.append(str(node.get("/S")))
        kids = node.get("/K")
        kids = kids.get_object() if hasattr(kids, "get_object") else kids
        for kid in kids if isinstance(kids, list) else [kids]:
            found += _structure(kid, depth + 1)
    return found


def test_the_same_build_gives_the_same_bytes(published_warehouse: Settings, printed: Printed, tmp_path: Path) -> None:
    again = make_pack(published_warehouse, month=DECEMBER, out=tmp_path, made_on=DAY)
    assert again.html.read_bytes() == printed.pack.html.read_bytes()
    assert again.pdf.read_bytes() == printed.pack.pdf.read_bytes()


def test_a_month_without_figures_or_a_reader_without_a_pack_is_told(published_warehouse: Settings) -> None:
    with pytest.raises(NoFiguresError, match=r"no figures are published for March 2031.*to December 2017"):
        content(published_warehouse, date(2031, 3, 1))
    with pytest.raises(OutlineError, match="there is one for: board"):
        make_pack(published_warehouse, audience="press")


# what the packs of these months print of a series, all of them together
PACKS = months_between(date(2016, 4, 1), DECEMBER)
SMALL = Row(**{"label": "Knife injury", "mart": "serious_youth_violence.serious_youth_violence_monthly",
               "class": "knife_injury"})  # fmt: skip


def pinned(counts: dict[tuple[date, ...], int], hidden: set[tuple[date, ...]]) -> int:
    """Attack sums of months of which the small are suppressed; how many are pinned to fewer than five numbers."""
    months = sorted({month for span in counts for month in span})
    rows, limits = [], []
    for span, count in counts.items():
        row = np.array([float(month in span) for month in months])
        if count <= 7:
            rows.append(row)
            limits.append(7.0)
        elif span not in hidden:
            shown = (count + 2) // 5 * 5
            rows += [row, -row]
            limits += [shown + 2.0, -max(8.0, shown - 2.0)]
    found = 0
    for span, count in counts.items():
        if count <= 7:
            aim = np.array([float(month in span) for month in months])
            low, high = (sign * linprog(sign * aim, rows, limits, bounds=(0, None)).fun for sign in (1, -1))
            found += np.floor(high + 1e-6) - np.ceil(low - 1e-6) + 1 < RULE.values_left
    return found


def test_packs_of_successive_months_give_no_suppressed_figure_away_which_they_would_without_the_guard(
    published_warehouse: Settings,
) -> None:
    with connect(published_warehouse) as connection:
        series = find_series(connection, [SMALL])["Knife injury"]
        months = {"Knife injury": read_months(connection, published_warehouse, series)}
    counts: dict[tuple[date, ...], int] = {}
    hidden: set[tuple[date, ...]] = set()
    for month in PACKS:
        for span in spans_of(month):
            now = compare(months["Knife injury"], span).now
            assert now is not None
            counts[span.months] = now
    guard = Guard(RULE, [SMALL], months, DECEMBER, date(2016, 4, 1))
    hidden = {tuple(months_between(first, last)) for _, first, last, _ in guard.hidden}
    assert pinned(counts, set()) > 0, "the attack works"
    assert pinned(counts, hidden) == 0
    # what is given up later is no figure of an earlier pack
    earlier = Guard(RULE, [SMALL], months, date(2017, 9, 1), date(2016, 4, 1)).hidden
    assert {key for key in guard.hidden if key[2] <= date(2017, 9, 1)} == earlier
