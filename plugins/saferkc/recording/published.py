"""Wide files as the Metropolitan Police publish them, a column a month, as panels for the detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.recording.series import Panel

_AREA = ("WardCode", "LookUp_BoroughName", "Borough")
_MAJOR = ("Major Category", "MajorText")
_MINOR = ("Minor Category", "MinorText")


def wide_panels(paths: Sequence[Path], feed: str, series: Mapping[str, str] | None = None) -> tuple[Panel, ...]:
    """Read files that follow one another in time into one panel a major category: boroughs by name, wards by code.

    A combination that a file leaves out is 0 in its months; an area that a file does not know at all was not
    delivered (NaN). Names are as published, so a class that was renamed is two. ``series`` names major categories as
    the register of changes does.

    Raises ``ValueError`` where months overlap or leave a gap.
    """
    frame = pl.concat([_long(path) for path in paths])
    months = sorted(frame["month"].unique().to_list())
    span = (months[-1].year - months[0].year) * 12 + months[-1].month - months[0].month + 1
    if len(months) != span:
        raise ValueError(f"{feed}: {len(months)} months in files that span {span}")
    if frame.select(["area", "major", "minor", "month"]).is_duplicated().any():
        raise ValueError(f"{feed}: two files hold the same month of the same class")
    areas = sorted(frame["area"].unique().to_list())
    delivered = {(area, month) for area, month in frame.select("area", "month").unique().iter_rows()}
    absent = np.array([[(area, month) not in delivered for month in months] for area in areas])
    return tuple(
        _panel(part, feed, str(major), areas, months, absent, (series or {}).get(str(major), ""))
        for (major,), part in sorted(frame.group_by(["major"]), key=lambda item: str(item[0]))
    )


def _long(path: Path) -> pl.DataFrame:
    wide = pl.read_csv(path, infer_schema=False)
    area = next(name for name in _AREA if name in wide.columns)
    major = next(name for name in _MAJOR if name in wide.columns)
    minor = next(name for name in _MINOR if name in wide.columns)
    months = [name for name in wide.columns if name.isdigit()]
    return wide.unpivot(months, index=[area, major, minor], variable_name="month", value_name="count").select(
        area=pl.col(area),
        major=pl.col(major),
        minor=pl.col(minor),
        month=(pl.col("month") + "01").str.to_date("%Y%m%d"),
        count=pl.col("count").cast(pl.Float64).fill_null(0.0),
    )


def _panel(
    frame: pl.DataFrame,
    feed: str,
    major: str,
    areas: Sequence[str],
    months: Sequence[date],
    absent: npt.NDArray[np.bool_],
    series: str,
) -> Panel:
    minors = sorted(frame["minor"].unique().to_list())
    counts = np.zeros((len(areas), len(minors), len(months)))
    places = (
        {name: n for n, name in enumerate(areas)},
        {name: n for n, name in enumerate(minors)},
        {month: n for n, month in enumerate(months)},
    )
    for area, minor, month, count in frame.select("area", "minor", "month", "count").iter_rows():
        counts[places[0][area], places[1][minor], places[2][month]] += count
    counts[np.broadcast_to(absent[:, None, :], counts.shape)] = np.nan
    return Panel(feed, major, tuple(areas), tuple(minors), tuple(months), counts, series=series)


def as_one_area(panels: Sequence[Panel], name: str) -> tuple[Panel, ...]:
    """All areas added up, as one area of that name; an area that was not delivered adds nothing."""
    return tuple(
        Panel(p.feed, p.parent, (name,), p.children, p.months, np.nansum(p.counts, axis=0, keepdims=True),
              p.dimension, p.listed, series=p.series)
        for p in panels
    )  # fmt: skip
