"""Comparing a delivery with another feed that saw the same thing, before it is believed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.contracts.labels import fold_label
from saferkc.loading.faults import Refused
from saferkc.warehouse.connection import Connection

_ALL = "All recorded offences"
_FEWEST_OFFENCES = 100  # below it a difference of a few offences is a large share and means nothing


@dataclass(frozen=True)
class YearTotal:
    """A borough's total of an offence group in a financial year, as the delivery and the months say it."""

    area: str
    area_code: str
    group: str
    year: str
    said: int
    by_month: list[int]

    @property
    def full(self) -> int:
        """Sum of the twelve months."""
        return sum(self.by_month)


def check_reasonable(connection: Connection, contract: Contract, table: sql.Identifier, delivery_id: int) -> None:
    """Apply the contract's comparison to the delivery's rows in ``table``; raises ``Refused`` with the reason."""
    rule = contract.delivery.reasonableness
    if rule is None:
        return
    totals = _year_totals(connection, table, delivery_id)
    if not totals:
        raise Refused(
            f"its totals can't be checked yet: {rule.against} holds no whole financial year that it has too;"
            f" deliver that feed first, then replay this one"
        )
    faults = [*_short_years(totals, rule.tolerance_share), *_slipped_rows(totals, rule.tolerance_share)]
    if not faults:
        off = [t for t in totals if _is_off(t.said, t.full, rule.tolerance_share)]
        if off:
            worst = max(off, key=lambda t: abs(t.said - t.full))
            faults = [
                f"{len(off)} of {len(totals)} totals differ from the months' by more than allowed; {_example(worst)}"
            ]
    if faults:
        raise Refused(f"its figures do not agree with {rule.against}: " + "; ".join(faults))


def _year_totals(connection: Connection, table: sql.Identifier, delivery_id: int) -> list[YearTotal]:
    """Pair the delivery's totals with the months of recorded crime, for boroughs and years that both have whole."""
    by_month: dict[tuple[str, str, int], dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for borough, group, month, offences in connection.execute(
        """
        select borough_name, major_category, month, sum(offence_count)::int
        from raw.mps_recorded_crime
        where withdrawn_delivery_id is null and geography_level = 'borough'
        group by borough_name, major_category, month
        """
    ):
        first_year = month.year if month.month >= 4 else month.year - 1
        for counted in (group, _ALL):
            by_month[fold_label(borough), fold_label(counted), first_year][month] += offences
    totals = []
    for area, code, group, year, said in connection.execute(
        sql.SQL(
            """
            select area_name, area_code, offence_group, financial_year, offence_count from {}
            where delivery_id = %s and area_code like 'E09%%' and offence_count is not null
            order by financial_year, offence_group, area_code
            """
        ).format(table),
        [delivery_id],
    ):
        months = by_month.get((fold_label(area), fold_label(group), int(year[:4])), {})
        if len(months) == 12:
            totals.append(YearTotal(area, code, group, year, said, [months[m] for m in sorted(months)]))
    return totals


def _is_off(said: int, expected: int, tolerance: float) -> bool:
    return expected >= _FEWEST_OFFENCES and abs(said - expected) > tolerance * expected


def _short_years(totals: list[YearTotal], tolerance: float) -> list[str]:
    """Say which years hold fewer than twelve months, from the total that most boroughs' figures come closest to."""
    faults = []
    for year, members in _by(totals, "year").items():
        large = [t for t in members if t.full >= _FEWEST_OFFENCES]
        if not large or median(t.said / t.full for t in large) > 1 - tolerance:
            continue
        months = _months_held(members)
        example = max(large, key=lambda t: (t.area == "Kensington and Chelsea", t.full))
        if months < 12:
            faults.append(f"{year} holds {months} months and is called a year ({_example(example)})")
        else:
            faults.append(f"{year} is too low throughout ({_example(example)})")
    return faults


def _slipped_rows(totals: list[YearTotal], tolerance: float) -> list[str]:
    """Say where the figures of one row stand in the next borough's, from some borough on."""
    faults = []
    for year, in_year in _by(totals, "year").items():
        short = _months_held(in_year)
        for group, members in _by(in_year, "group").items():
            ordered = sorted(members, key=lambda t: t.area_code)
            expected = [sum(t.by_month[:short]) for t in ordered]
            off = [i for i, t in enumerate(ordered) if _is_off(t.said, expected[i], max(tolerance, 0.25))]
            moved = [i for i in off if i > 0 and not _is_off(ordered[i].said, expected[i - 1], max(tolerance, 0.25))]
            if len(off) >= 5 and len(moved) >= len(off) * 0.6:
                first = ordered[off[0]]
                faults.append(
                    f"the {group} figures of {year} stand one borough too low from {first.area} on:"
                    f" {len(moved)} boroughs have their neighbour's figure"
                )
    return faults


def _months_held(members: list[YearTotal]) -> int:
    """How many months from April on the figures of most boroughs come closest to."""
    large = [t for t in members if t.full >= _FEWEST_OFFENCES]
    if not large:
        return 12
    return Counter(_nearest_months(total) for total in large).most_common(1)[0][0]


def _nearest_months(total: YearTotal) -> int:
    return min(range(1, 13), key=lambda months: abs(total.said - sum(total.by_month[:months])))


def _by(totals: list[YearTotal], attribute: str) -> Mapping[str, list[YearTotal]]:
    groups: dict[str, list[YearTotal]] = defaultdict(list)
    for total in totals:
        groups[getattr(total, attribute)].append(total)
    return groups


def _example(total: YearTotal) -> str:
    return f"{total.area}, {total.group}: it says {total.said:,}, the twelve months add up to {total.full:,}"
