"""Charts never draw a line across a break, and say in words what they show."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from saferkc.disclosure import Rule
from saferkc.recording.charts import style
from saferkc.recording.charts.catalogue import Catalogue, Mart, Series, UnknownSeriesError
from saferkc.recording.charts.gated import gated, hidden_months
from saferkc.recording.charts.model import ChartedSeries, Figure, Mark, MarkKind, Point
from saferkc.recording.charts.picture import draw
from saferkc.recording.charts.terminal import chart_lines
from saferkc.recording.charts.words import description, main_message, why_empty
from saferkc.recording.months import months_between

RULE = date(2017, 4, 1)
BREAK = Mark("break", RULE, "New classes of burglary", "Sheds count as residential.", is_gap=True)
MONTHS = months_between(date(2016, 1, 1), date(2018, 6, 1))
_SVG = "{http://www.w3.org/2000/svg}"


def charted(points: Sequence[Point], *marks: Mark, simulated: bool = False) -> ChartedSeries:
    return ChartedSeries(
        "Burglary: residential", "Kensington and Chelsea", "offences", tuple(points), tuple(marks), simulated, "a.b", 7
    )


def burglary(*marks: Mark, restated: float = 0.0) -> ChartedSeries:
    """Two and a half years, restated by so many offences a month before the rule, with bounds of five either way."""
    points = []
    for number, month in enumerate(MONTHS):
        count, moved = 60.0 + number % 7, restated if month < RULE else 0.0
        off = 5.0 if moved else 0.0
        points.append(Point(month, count, count + moved, count + moved - off, count + moved + off))
    return charted(points, *marks)


def parsed(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own picture


def lines_of(svg: bytes, kind: str) -> dict[str, list[tuple[float, float]]]:
    """The vertices of each drawn thing whose id begins so."""
    found = {}
    for group in parsed(svg).iter(f"{_SVG}g"):
        name = group.get("id") or ""
        if name.startswith(kind):
            for path in group.iter(f"{_SVG}path"):
                numbers = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d") or "")
                found[name] = [(float(x), float(y)) for x, y in numbers]
    return found


def texts_of(svg: bytes) -> str:
    return " ".join("".join(text.itertext()) for text in parsed(svg).iter(f"{_SVG}text"))


def crossings(svg: bytes, series: ChartedSeries) -> list[tuple[str, str]]:
    """Drawn lines and bounds that reach from one side of a gap to the other."""
    gaps = {}
    for number, mark in enumerate(series.marks_in_sight(), 1):
        if mark.is_gap:
            gaps |= {name: line[0][0] for name, line in lines_of(svg, f"mark-{number}").items() if line}
    drawn = lines_of(svg, "recorded-") | lines_of(svg, "comparable-") | lines_of(svg, "bounds-")
    return [
        (name, gap)
        for name, line in drawn.items()
        for gap, place in gaps.items()
        if line and min(x for x, _ in line) < place < max(x for x, _ in line)
    ]


def test_no_line_and_no_bound_crosses_a_break() -> None:
    series = burglary(BREAK, restated=20.0)
    svg = draw(series, "svg")
    assert len(lines_of(svg, "recorded-")) == 2
    assert crossings(svg, series) == []
    # the same with the break taken for a bridge would be caught
    bridged = burglary(Mark("bridge", RULE, "A rule", ""))
    ((_, line),) = lines_of(draw(bridged, "svg"), "recorded-").items()
    (gap,) = {line[0][0] for line in lines_of(draw(bridged, "svg"), "mark-1").values()}
    assert min(x for x, _ in line) < gap < max(x for x, _ in line)


def test_the_gap_is_wide_enough_to_be_seen_in_ten_years_of_months() -> None:
    months = months_between(date(2008, 1, 1), date(2018, 12, 1))
    svg = draw(charted([Point(month, 50.0) for month in months], BREAK), "svg")
    before, after = lines_of(svg, "recorded-").values()
    assert after[0][0] - before[-1][0] > 3 * (before[1][0] - before[0][0])


def test_bounds_lie_around_the_comparable_line_and_only_where_it_differs() -> None:
    svg = draw(burglary(BREAK, restated=20.0), "svg")
    (line,) = lines_of(svg, "comparable-").values()
    (bounds,) = lines_of(svg, "bounds-").values()
    assert len(line) == sum(month < RULE for month in MONTHS)
    for x, y in line:
        at = [edge for place, edge in bounds if abs(place - x) < 0.01]
        assert min(at) < y < max(at)
    same = draw(burglary(BREAK), "svg")
    assert not lines_of(same, "comparable-")
    assert "comparable" not in texts_of(same)


def test_months_without_a_figure_are_a_gap_and_a_zero_is_none() -> None:
    points = [Point(month, None if 5 <= number < 7 else 0.0 if number == 12 else 40.0) for number, month in
              enumerate(MONTHS)]  # fmt: skip
    svg = draw(charted([point for point in points if point.month != MONTHS[20]]), "svg")
    lines = list(lines_of(svg, "recorded-").values())
    assert [len(line) for line in lines] == [5, 13, len(MONTHS) - 21]
    assert max(y for line in lines for _, y in line) == lines[1][5][1], "the zero lies lowest"
    step = lines[0][1][0] - lines[0][0][0]
    assert lines[1][0][0] - lines[0][-1][0] == pytest.approx(3 * step, abs=0.01)


def test_provisional_months_are_hollow_and_the_first_year_of_a_bridged_rule_is_dashed() -> None:
    points = [
        Point(month, 50.0, comparability="provisional" if month == MONTHS[-1] else "bridged" if month >= RULE else
              "comparable")
        for month in MONTHS
    ]  # fmt: skip
    svg = draw(charted(points, Mark("bridge", RULE, "A rule", "")), "svg").decode()
    (hollow,) = re.findall(r'<g id="provisional-[^"]*">.*?</g>\s*</g>', svg, re.DOTALL)
    assert style.GROUND in hollow
    dashed = re.findall(r'<g id="recorded-1-1-(\d)">\s*<path [^>]*stroke-dasharray', svg)
    assert dashed == ["2", "3"]
    assert {"provisional", "first year of a new rule, comparable"} <= set(re.findall(r">([^<>]+)</text>", svg))


def test_the_same_series_gives_the_same_bytes_and_no_date() -> None:
    series = burglary(BREAK, restated=20.0)
    for form in ("svg", "png"):
        assert draw(series, form) == draw(series, form)  # type: ignore[arg-type]
    assert b"<dc:date>" not in draw(series, "svg")


def test_a_png_is_one_and_as_wide_as_said() -> None:
    png = draw(burglary(BREAK), "png")
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">I", png[16:20]) == (round(style.WIDTH * style.DOTS_PER_INCH),)


def test_the_picture_says_in_words_what_it_shows_and_that_data_are_simulated() -> None:
    note = Mark("note", date(2016, 3, 1), "Recording improved", "Part of a rise is recording.", date(2016, 9, 1))
    series = charted(burglary().points, BREAK, note, simulated=True)
    svg = draw(series, "svg")
    said = parsed(svg).findtext(f"{_SVG}desc")
    assert said == description(series)
    assert parsed(svg).get("role") == "img"
    names = {element.get("id") for element in parsed(svg)}
    assert set(str(parsed(svg).get("aria-labelledby")).split()) <= names
    assert not names & {element.get("id") for element in parsed(draw(burglary(), "svg"))} - {"defs", None, "figure_1"}
    for part in ("1 April 2017", "do not compare", "2. 1 April 2017", "Sheds count as residential", "simulated"):
        assert part in str(said)
    shown = texts_of(svg)
    for part in ("Burglary: residential, Kensington and Chelsea", "SIMULATED DATA", "March 2016 to September 2016",
                 "Source: a.b, build 7.", "offences a month"):  # fmt: skip
        assert part in shown
    assert "SIMULATED" not in texts_of(draw(burglary(BREAK), "svg"))


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((), "No change in how this is counted is known"),
        ((BREAK,), "do not compare months on two sides of a gap"),
        ((Mark("bridge", RULE, "A rule", ""),), "months before and after may be compared"),
        ((Mark("suspected", RULE, "A step", ""),), "suspected (see 1)"),
        ((Mark("rejected", RULE, "A step", ""),), "No change in how this is counted is known"),
        ((Mark("note", date(2016, 1, 1), "A ramp", "", date(2016, 9, 1)),), "read the notes"),
    ],
)
def test_the_main_message_follows_from_the_marks(marks: tuple[Mark, ...], message: str) -> None:
    assert message in main_message(burglary(*marks))


def test_across_a_gap_the_comparable_line_is_named_and_its_range_where_it_is_estimated() -> None:
    assert "compare the comparable line only, and give its range" in main_message(burglary(BREAK, restated=20.0))
    restated = [Point(month, 50.0, 60.0 if month < RULE else 50.0) for month in MONTHS]
    assert "compare the comparable line only." in main_message(charted(restated, BREAK))


def test_few_a_month_are_said_to_be_few() -> None:
    assert "a single rise or fall says little" in main_message(charted([Point(month, 4.0) for month in MONTHS]))
    assert "says little" not in main_message(burglary())


def test_a_gated_series_is_drawn_of_rounded_figures_without_its_small_months() -> None:
    found = Mark("suspected", date(2017, 9, 1), "split in burglary", "Residential gained 3 a month.")
    counts = [3.0, 8.0, 12.0, 41.0, 44.0, 7.0]
    points = [Point(month, n, n, n, n) for month, n in zip(MONTHS[:6], counts, strict=True)]
    points += [Point(MONTHS[6], 33.0, 41.6, 38.2, 46.1), Point(MONTHS[7], 5.0, 9.0, 6.0, 12.0)]
    shown = gated(charted(points, found), Rule(suppress_up_to=7, round_to=5, values_left=5), hidden={MONTHS[4]})
    assert [point.as_recorded for point in shown.points] == [None, 10, 10, 40, None, None, 35, None]
    assert [(point.low, point.comparable, point.high) for point in shown.points[5:]] == [
        (None, None, None), (35, 40, 50), (None, None, None),
    ]  # fmt: skip
    assert [sorted(point.suppressed) for point in shown.points] == [
        ["as_recorded", "comparable"], [], [], [], ["as_recorded", "comparable"], ["as_recorded", "comparable"], [],
        ["as_recorded", "comparable"],
    ]  # fmt: skip
    picture = draw(shown, "svg").decode()
    assert "Figures are rounded to 5; months of 7 or fewer are left out." in description(shown)
    assert "rounded to 5" in picture
    assert "gained 3" not in picture
    drawn = lines_of(draw(shown, "svg"), "recorded")
    assert sorted(map(len, drawn.values())) == [3], "no line goes through a month that is not shown"
    as_counted = Rule(suppress_up_to=-1, round_to=1, values_left=0)
    assert gated(charted(points, found), as_counted) == charted(points, found)


@pytest.mark.parametrize(
    "estimate",
    [
        "By the rule of today it would be about 12 (nine times out of ten 9 to 15), by the shares that an authority"
        " gives.",
        "Made of the wards of its day: it would have been about 12 (nine times out of ten 9 to 15), by where records"
        " with a point on the map lie.",
        "Made of the wards of its day: it would have been 12, since they lie whole within it.",
    ],
)
def test_a_caveat_leaves_the_gate_without_the_estimate_that_it_names(estimate: str) -> None:
    before, after = "The rule changed on 1 April 2017.", "The month is not over: the files end on 3 May 2017."
    series = replace(burglary(), caveat=f"{before} {estimate} {after}")
    assert gated(series, Rule(suppress_up_to=7, round_to=5, values_left=5)).caveat == f"{before} {after}"


def test_marts_name_estimates_in_no_other_words_than_the_gate_knows() -> None:
    macros = Path(__file__).parents[2] / "dbt_project" / "macros" / "comparability.sql"
    words = macros.read_text().split("macro estimate_in_words")[1].split("endmacro")[0]
    assert set(re.findall(r"'((?:By|Made|it) [^']*?) ?'", words)) == {
        "By the rule of today it would be about",
        "Made of the wards of its day:",
        "it would have been",
        "it would have been about",
    }


def test_a_series_of_which_nothing_may_be_shown_says_so_and_does_not_look_like_one_without_figures() -> None:
    points = [Point(month, 3.0, 3.0, 3.0, 3.0) for month in MONTHS]
    shown = gated(charted(points), Rule(suppress_up_to=7, round_to=5, values_left=5))
    assert main_message(shown).startswith("No month is large enough to be shown. Figures are rounded to 5")
    assert "There are no figures" not in draw(shown, "svg").decode()
    assert "There are no figures" in main_message(charted([Point(month, None) for month in MONTHS]))


def test_a_month_that_would_tell_a_small_class_beside_it_is_left_out() -> None:
    rule = Rule(suppress_up_to=7, round_to=5, values_left=5)
    told, safe, overlapping, today = (date(2016, month, 1) for month in (1, 2, 3, 4))
    counts: dict[date, dict[tuple[str, Figure], int]] = {
        told: {("all", "as_recorded"): 28, ("a", "as_recorded"): 22, ("b", "as_recorded"): 6},
        safe: {("all", "as_recorded"): 60, ("a", "as_recorded"): 30, ("b", "as_recorded"): 30},
        # classes that overlap add up to more than the whole, and so tell nothing
        overlapping: {("all", "as_recorded"): 28, ("a", "as_recorded"): 24, ("b", "as_recorded"): 6},
        today: {("all", "as_recorded"): 28, ("a", "as_recorded"): 14, ("b", "as_recorded"): 14,
                ("all", "comparable"): 28, ("a", "comparable"): 22, ("b", "comparable"): 6},
    }  # fmt: skip
    assert hidden_months(counts, "a", rule) == {told, today}
    assert hidden_months(counts, "all", rule) == hidden_months(counts, "b", rule) == set()


def test_a_rule_in_the_middle_of_a_month_is_between_it_and_the_next() -> None:
    series = burglary(Mark("break", date(2017, 2, 28), "CONNECT", "", is_gap=True))
    first, second = series.stretches()
    assert (first[-1].month, second[0].month) == (date(2017, 2, 1), date(2017, 3, 1))


def test_text_and_lines_have_enough_contrast() -> None:
    for text, ground in [(style.TEXT, style.GROUND), (style.FAINT_TEXT, style.GROUND),
                         (style.SIMULATED_TEXT, style.SIMULATED_GROUND), *style.MARKS.values()]:  # fmt: skip
        assert contrast(text, ground) >= 4.5, (text, ground)
    for line in (style.RECORDED, style.COMPARABLE, style.GAP):
        for ground in (style.GROUND, style.SPAN, style.BAND):
            assert contrast(line, ground) >= 3, (line, ground)
    # told apart without colour too
    assert contrast(style.RECORDED, style.BAND) > contrast(style.COMPARABLE, style.BAND) * 1.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG defines it, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# --- the terminal


def test_the_terminal_shows_the_break_as_a_rule_in_a_gap() -> None:
    lines = chart_lines(burglary(BREAK))
    chart = [line.partition("│")[2] for line in lines if "│" in line]
    old = sum(month < RULE for month in MONTHS)
    for row in chart:
        assert row[old : old + 3].strip() in ("┊", "")
        assert "┊" in row
    assert chart[-1][:old] == "█" * old
    assert len(chart[-1]) == len(MONTHS) + 3
    assert any("1 April 2017, counted differently: New classes of burglary" in line for line in lines)


def test_the_terminal_leaves_months_without_a_figure_blank_and_marks_provisional_ones() -> None:
    points = [Point(month, 0.0 if number == 3 else 40.0) for number, month in enumerate(MONTHS[:9]) if number != 5]
    points[-1] = Point(points[-1].month, 40.0, comparability="provisional")
    lines = chart_lines(charted(points))
    lowest = [line.partition("│")[2] for line in lines if "│" in line][-1]
    assert lowest == "███_█ ██│"
    assert any("○" in line for line in lines)


def test_the_terminal_shows_the_newest_months_where_there_is_no_room_for_all() -> None:
    months = months_between(date(2000, 1, 1), date(2018, 12, 1))
    lines = chart_lines(charted([Point(month, 50.0) for month in months], BREAK), 60)
    assert all(len(line) <= 60 for line in lines)
    assert any("on" in line and "from" in line for line in lines)
    assert any("2018" in line and "1999" not in line for line in lines)


# --- odd input


def series_of_any_kind() -> st.SearchStrategy[ChartedSeries]:
    days = st.dates(date(2014, 1, 1), date(2016, 12, 31))
    figure = st.none() | st.integers(0, 3000).map(float)
    point = st.builds(
        Point,
        st.sampled_from(months_between(date(2014, 6, 1), date(2016, 6, 1))),
        figure,
        figure,
        figure,
        figure,
        st.sampled_from(["comparable", "bridged", "break", "provisional"]),
    )
    kinds: list[MarkKind] = ["break", "bridge", "note", "suspected", "registered", "confirmed", "rejected"]
    mark = st.builds(
        lambda kind, start, end, text, gap: Mark(
            kind, start, text, text, end if kind == "note" and end > start else None, kind == "break" or gap
        ),
        st.sampled_from(kinds),
        days,
        days,
        st.text("abc $%<&>\"'{}\\.:", max_size=40),
        st.booleans(),
    )
    points = st.lists(point, max_size=25, unique_by=lambda p: p.month).map(
        lambda found: sorted(found, key=lambda p: p.month)
    )
    return st.builds(charted, points).flatmap(
        lambda bare: st.lists(mark, max_size=6).map(lambda marks: charted(bare.points, *marks))
    )


@given(series_of_any_kind())
@examples(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_is_drawn_without_a_line_across_a_gap(series: ChartedSeries) -> None:
    svg = draw(series, "svg")
    assert crossings(svg, series) == []
    drawn = {(round(x, 2)) for line in lines_of(svg, "recorded-").values() for x, _ in line}
    figures = [point for point in series.points if point.as_recorded is not None]
    assert len(drawn) <= len(figures)
    for line in lines_of(svg, "recorded-").values():
        assert all(b > a for (a, _), (b, _) in pairwise(line))
    if not figures:
        assert why_empty(series) in texts_of(svg)


@given(series_of_any_kind(), st.integers(20, 120))
def test_whatever_comes_fits_on_the_terminal(series: ChartedSeries, width: int) -> None:
    lines = chart_lines(series, width)
    assert all(len(line) <= max(width, 40) for line in lines)
    if all(point.as_recorded is None for point in series.points):
        assert why_empty(series) in " ".join(lines)


@pytest.mark.parametrize(
    "points",
    [[], [Point(RULE, 5.0)], [Point(RULE, None)], [Point(month, None) for month in MONTHS], [Point(RULE, 0.0)]],
    ids=["no data", "one month", "one month without a figure", "no figures", "one zero"],
)
def test_next_to_nothing_is_drawn_too(points: list[Point]) -> None:
    # the break begins the first month: there is nothing before it
    series = charted(points, BREAK)
    assert series.gaps() == () or len(points) > 1
    assert draw(series, "png").startswith(b"\x89PNG")
    assert chart_lines(series)


# --- names


def catalogue() -> Catalogue:
    def of(schema: str, table: str, *classes: str, columns: Sequence[str] = ()) -> list[Series]:
        return [Series(Mart(schema, table, "class", "offences", frozenset(columns)), name) for name in classes]

    return Catalogue(
        [
            *of("burglary", "burglary_monthly", "all", "residential"),
            *of("burglary", "burglary_police_monthly", "all", "residential"),
            *of("burglary", "burglary_repeat_monthly", "premises"),
            *of("hate_crime", "hate_crime_monthly", "hate_crime", "violence_with_injury"),
            *of("mopac_local", "mopac_local_monthly", "violence_with_injury"),
            *of("partnership", "total_offences_monthly", "all", "without_fraud"),
        ]
    )


@pytest.mark.parametrize(
    ("asked", "mart", "found"),
    [
        ("residential", None, "burglary.burglary_monthly/residential"),
        ("Burglary.Residential", None, "burglary.burglary_monthly/residential"),
        ("burglary/residential", "burglary_police_monthly", "burglary.burglary_police_monthly/residential"),
        ("residential", "burglary.burglary_police_monthly", "burglary.burglary_police_monthly/residential"),
        ("burglary_police/all", None, "burglary.burglary_police_monthly/all"),
        ("burglary.burglary_police_monthly.all", None, "burglary.burglary_police_monthly/all"),
        ("without fraud", None, "partnership.total_offences_monthly/without_fraud"),
        ("mopac-local/violence with injury", None, "mopac_local.mopac_local_monthly/violence_with_injury"),
    ],
)
def test_a_series_is_found_by_its_name_or_a_clear_part_of_it(asked: str, mart: str | None, found: str) -> None:
    series = catalogue().find(asked, mart)
    assert f"{series.mart.name}/{series.class_name}" == found


@pytest.mark.parametrize(
    ("asked", "mart", "message"),
    [
        ("residental", None, "did you mean burglary/residential"),
        ("violence_with_injury", None, "several series are called.*hate_crime/.*mopac_local/"),
        ("burglary", None, "several series: burglary/all, burglary/premises, burglary/residential"),
        ("asb/noise", None, "there is no series asb/noise"),
        ("all", "burglary_monthyl", "there is no mart.*did you mean burglary_monthly"),
        ("", None, "there is no series"),
    ],
)
def test_a_name_that_is_not_clear_is_answered_with_those_that_are(asked: str, mart: str | None, message: str) -> None:
    with pytest.raises(UnknownSeriesError, match=message):
        catalogue().find(asked, mart)


def test_every_series_has_a_name_of_its_own_by_which_it_is_found() -> None:
    known = catalogue()
    assert len(known.names) == len(known.series)
    assert all(known.find(name) is series for name, series in known.names.items())


def test_the_command_line_does_not_wait_for_the_drawing_library() -> None:
    code = "import sys, saferkc.cli.commands, saferkc.cli.show; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
