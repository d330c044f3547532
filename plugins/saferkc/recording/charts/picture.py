"""Draws a series as a picture, SVG or PNG. Imports matplotlib: import this module only where a picture is drawn.

The same series gives the same bytes: no date, no random ids. Text in SVG stays text.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any, Literal
from xml.sax.saxutils import escape
from zlib import crc32

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from saferkc.recording.charts import style
from saferkc.recording.charts.model import ChartedSeries, Mark
from saferkc.recording.charts.plot import Axis, draw_series, legend
from saferkc.recording.charts.words import description, footnote, main_message, mark_in_words

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "saferkc", "font.family": style.FONTS, "hatch.linewidth": 0.6,
    "path.simplify": False, "text.parse_math": False,
    "font.size": style.TEXT_SIZE, "text.color": style.TEXT, "axes.labelcolor": style.TEXT,
    "xtick.color": style.TEXT, "ytick.color": style.TEXT,
}  # fmt: skip
# characters of a line of the list and of the message at their sizes and the picture's width
_LIST_COLUMNS, _MESSAGE_COLUMNS = 120, 115
_LEGEND_COLUMNS = 4
_LEFT, _RIGHT = 0.078, 0.985


def draw(series: ChartedSeries, form: Literal["svg", "png"]) -> bytes:
    """Return the series as a picture, 10 inches wide and as high as its notes need.

    Lines and bounds stop at each gap (``ChartedSeries.gaps``) and at months without a figure.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = _figure(series)
        content = io.BytesIO()
        if form == "png":
            said = {"Software": None, "Title": _title(series), "Description": description(series)}
            figure.savefig(content, format="png", dpi=style.DOTS_PER_INCH, facecolor=style.GROUND, metadata=said)
            return content.getvalue()
        undated = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(content, format="svg", facecolor=style.GROUND, metadata=undated)
    return _described(content.getvalue().decode(), series).encode()


def _title(series: ChartedSeries) -> str:
    return f"{series.title}, {series.area}"


def _described(svg: str, series: ChartedSeries) -> str:
    """Give the picture the title and description that screen readers say."""
    start, tag, rest = svg.partition("<svg ")
    opening, end, inner = rest.partition(">")
    # several charts may stand in one page
    number = f"{crc32(description(series).encode()):08x}"
    said = (
        f'<title id="title-{number}">{escape(_title(series))}</title>'
        f'<desc id="desc-{number}">{escape(description(series))}</desc>'
    )
    return f'{start}{tag}role="img" aria-labelledby="title-{number} desc-{number}" {opening}{end}\n {said}{inner}'


def _figure(series: ChartedSeries) -> Figure:
    marks = series.marks_in_sight()
    message = textwrap.wrap(main_message(series), _MESSAGE_COLUMNS)
    listed = [textwrap.wrap(mark_in_words(mark), _LIST_COLUMNS) for mark in marks]
    rows = _rows_of_numbers(series, marks)
    handles = legend(series)
    above_legend = 0.48 + style.LINE_HEIGHT * 1.1 * len(message)
    top = above_legend + 0.22 * -(-len(handles) // _LEGEND_COLUMNS) + 0.16 + 0.24 * (max(rows, default=-1) + 1)
    below = 0.42 + style.LINE_HEIGHT * sum(map(len, listed)) + 0.05 * len(listed) + 0.32
    height = top + style.PLOT_HEIGHT + below
    figure = Figure(figsize=(style.WIDTH, height))
    axes = figure.add_axes((_LEFT, below / height, _RIGHT - _LEFT, style.PLOT_HEIGHT / height))
    _head(figure, series, message, height)
    draw_series(axes, series)
    _numbers(axes, series, marks, rows)
    if handles:
        figure.legend(
            handles=handles, loc="upper left", ncols=min(len(handles), _LEGEND_COLUMNS), frameon=False,
            bbox_to_anchor=(_LEFT - 0.004, 1 - above_legend / height), borderaxespad=0, borderpad=0,
            handlelength=2.6, columnspacing=1.6, fontsize=style.SMALL_SIZE + 0.5,
        )  # fmt: skip
    _list(figure, marks, listed, (below - 0.5) / height, height)
    figure.text(_LEFT, 0.1 / height, footnote(series), fontsize=style.SMALL_SIZE, color=style.FAINT_TEXT)
    return figure


def _head(figure: Figure, series: ChartedSeries, message: Sequence[str], height: float) -> None:
    figure.text(_LEFT, 1 - 0.32 / height, _title(series), fontsize=style.TITLE_SIZE, fontweight="bold")
    for number, line in enumerate(message):
        y = 1 - (0.56 + number * style.LINE_HEIGHT * 1.1) / height
        figure.text(_LEFT, y, line, fontsize=style.TEXT_SIZE)
    if series.is_simulated:
        figure.text(
            _RIGHT - 0.006, 1 - 0.3 / height, "SIMULATED DATA", ha="right", fontsize=style.TEXT_SIZE, fontweight="bold",
            color=style.SIMULATED_TEXT, bbox={"facecolor": style.SIMULATED_GROUND, "pad": 4, "linewidth": 0},
        )  # fmt: skip


def _rows_of_numbers(series: ChartedSeries, marks: Sequence[Mark]) -> list[int]:
    """On which row above the plot the number of each mark stands, so that none covers another."""
    if not marks:
        return []
    axis = Axis.of(series)
    taken: list[float] = []
    rows = [0] * len(marks)
    for place, number in sorted((axis.middle_of(mark), number) for number, mark in enumerate(marks)):
        rows[number] = next((n for n, last in enumerate(taken) if place - last > axis.end() * 0.025), len(taken))
        taken[rows[number] : rows[number] + 1] = [place]
    return rows


def _numbers(axes: Axes, series: ChartedSeries, marks: Sequence[Mark], rows: Sequence[int]) -> None:
    if not marks:
        return
    axis = Axis.of(series)
    for number, (mark, row) in enumerate(zip(marks, rows, strict=True), 1):
        text, ground = style.MARKS[mark.kind]
        axes.annotate(
            f"{number}", (axis.middle_of(mark), 1), xycoords=("data", "axes fraction"),
            xytext=(0, 9 + 17 * row), textcoords="offset points", ha="center", va="center",
            fontsize=style.SMALL_SIZE + 0.5, fontweight="bold", color=text,
            bbox={"boxstyle": "square,pad=0.25", "facecolor": ground, "edgecolor": style.TEXT, "linewidth": 0.9},
        )  # fmt: skip


def _list(figure: Figure, marks: Sequence[Mark], listed: Sequence[Sequence[str]], top: float, height: float) -> None:
    y = top
    for number, (mark, lines) in enumerate(zip(marks, listed, strict=True), 1):
        text, ground = style.MARKS[mark.kind]
        figure.text(
            _LEFT + 0.006, y, f"{number}", ha="center", va="top", fontsize=style.SMALL_SIZE, fontweight="bold",
            color=text,
            bbox={"boxstyle": "square,pad=0.2", "facecolor": ground, "edgecolor": style.TEXT, "linewidth": 0.8},
        )  # fmt: skip
        for line in lines:
            figure.text(_LEFT + 0.022, y, line, va="top", fontsize=style.SMALL_SIZE + 0.5)
            y -= style.LINE_HEIGHT / height
        y -= 0.05 / height
