"""Reads monthly series from the warehouse: the one module of the detector that knows a database."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np

from saferkc.recording.reading.trees import SERIES_OF_MAJOR
from saferkc.recording.series import Panel
from saferkc.warehouse.connection import Connection, fetch_all

# published labels, not our codes: a new label is what the detector looks for. Pseudo-boroughs come and go with files
_RECORDED_CRIME = """
select
    boroughs.borough_code as area,
    offences.major_name as parent,
    offences.minor_name as child,
    facts.month,
    sum(facts.offence_count)::float as offence_count
from core.fct_recorded_crime_monthly as facts
inner join core.dim_offence as offences on facts.offence_key = offences.offence_key
inner join core.dim_borough as boroughs on facts.borough_key = boroughs.borough_key
where facts.geography_level = 'borough' and not boroughs.is_pseudo_borough
group by 1, 2, 3, 4
"""


def recorded_crime(connection: Connection) -> tuple[Panel, ...]:
    """Published recorded crime by borough, one panel a major category; an empty tuple where there is none."""
    rows = fetch_all(connection, _RECORDED_CRIME)
    if not rows:
        return ()
    areas = sorted({row["area"] for row in rows})
    months = _without_gap({row["month"] for row in rows})
    cells: dict[str, dict[str, list[tuple[int, int, float]]]] = defaultdict(lambda: defaultdict(list))
    delivered = np.zeros((len(areas), len(months)), dtype=bool)
    place = {area: number for number, area in enumerate(areas)}
    when: dict[date, int] = {month: number for number, month in enumerate(months)}
    for row in rows:
        cell = place[row["area"]], when[row["month"]], row["offence_count"]
        cells[row["parent"]][row["child"]].append(cell)
        delivered[cell[0], cell[1]] = True
    panels = []
    for parent, classes in sorted(cells.items()):
        counts = np.zeros((len(areas), len(classes), len(months)))
        for number, (_, found) in enumerate(sorted(classes.items())):
            for area, month, count in found:
                counts[area, number, month] += count
        # a month that no file covers has no rows: it is not known, and not zero
        counts[np.broadcast_to(~delivered[:, None, :], counts.shape)] = np.nan
        names, series = tuple(sorted(classes)), SERIES_OF_MAJOR.get(parent, "")
        panels.append(Panel("mps_recorded_crime", parent, tuple(areas), names, months, counts, series=series))
    return tuple(panels)


def _without_gap(months: set[date]) -> tuple[date, ...]:
    """All months from the first to the last, those in between that no file covers included."""
    first, last = (month.year * 12 + month.month - 1 for month in (min(months), max(months)))
    return tuple(date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1))
