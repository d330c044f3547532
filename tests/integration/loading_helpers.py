"""Delivering small files, and reading back what became of them."""

from __future__ import annotations

import io
import os
import random
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import class_row
from saferkc.contracts import load_contracts
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

STREET = "police_open_street"
OUTCOMES = "police_open_outcomes"
SEARCHES = "police_open_stop_search"
API = "police_open_street_api"
RECORDED = "mps_recorded_crime"

BOROUGHS = [
    "Barking and Dagenham", "Barnet", "Bexley", "Brent", "Bromley", "Camden", "Croydon", "Ealing", "Enfield",
    "Greenwich", "Hackney", "Hammersmith and Fulham", "Haringey", "Harrow", "Havering", "Hillingdon", "Hounslow",
    "Islington", "Kensington and Chelsea", "Kingston upon Thames", "Lambeth", "Lewisham", "Merton", "Newham",
    "Redbridge", "Richmond upon Thames", "Southwark", "Sutton", "Tower Hamlets", "Waltham Forest", "Wandsworth",
    "Westminster",
]  # fmt: skip

STREET_HEADING = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
OUTCOME_HEADING = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Outcome type"
SEARCH_HEADING = (
    "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,"
    "Self-defined ethnicity,Officer-defined ethnicity,Legislation,Object of search,Outcome,"
    "Outcome linked to object of search,Removal of more than just outer clothing"
)
WIDE_HEADING = "Borough,Major Category,Minor Category"


@dataclass(frozen=True)
class Delivery:
    """A row of ``quality.delivery``."""

    delivery_id: int
    feed: str
    source_name: str
    state: str
    covers_from: date | None
    covers_to: date | None
    vintage: date | None
    rows_in: int
    rows_admitted: int
    rows_unchanged: int
    rows_quarantined: int
    rows_withdrawn: int
    rows_refused: int
    reason: str | None
    is_simulated: bool
    contract_version: str
    flags: list[dict[str, Any]]

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """Rows in, admitted, unchanged, quarantined, withdrawn."""
        return self.rows_in, self.rows_admitted, self.rows_unchanged, self.rows_quarantined, self.rows_withdrawn


# a force without the boroughs that a month of the Metropolitan Police must have
def street_name(month: str = "2017-04", force: str = "city-of-london") -> str:
    return f"{month}-{force}-street.csv"


def offence(number: int = 0, *, crime_id: str | None = None, month: str = "2017-04", **other: str) -> str:
    """One line of a street file; ``number`` tells it from others by its Crime ID (blank where ``crime_id`` is)."""
    values = {
        "crime_id": f"{number:064x}" if crime_id is None else crime_id,
        "month": month,
        "force": "City of London Police",
        "longitude": "-0.1",
        "latitude": "51.51",
        "location": "On or near Cheapside",
        "lsoa": "E01000001",
        "lsoa_name": "City of London 001A",
        "crime_type": "Burglary",
        "outcome": "Under investigation",
    } | other
    v = values
    return (
        f"{v['crime_id']},{v['month']},{v['force']},{v['force']},{v['longitude']},{v['latitude']},{v['location']},"
        f"{v['lsoa']},{v['lsoa_name']},{v['crime_type']},{v['outcome']},"
    )


def disturbance(location: str = "On or near Poultry", month: str = "2017-04") -> str:
    """One line of anti-social behaviour: it has no Crime ID."""
    return offence(crime_id="", month=month, location=location, crime_type="Anti-social behaviour", outcome="")


def outcome(number: int, what: str, month: str = "2017-04") -> str:
    """One line of an outcomes file."""
    return (
        f"{number:064x},{month},City of London Police,City of London Police,-0.1,51.51,On or near Cheapside,"
        f"E01000001,City of London 001A,{what}"
    )


def search(at: str = "2017-04-10T12:00:00+00:00", gender: str = "Male") -> str:
    """One line of a stop and search file."""
    return (
        f"Person search,{at},False,,51.51,-0.1,{gender},18-24,,White,Misuse of Drugs Act 1971 (section 23),"
        "Controlled drugs,Local resolution,,"
    )


def shuffled(lines: list[str], seed: int) -> list[str]:
    """The lines in another order, the same for the same seed."""
    return random.Random(seed).sample(lines, len(lines))  # noqa: S311  (no secret)


def csv_of(heading: str, lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in [heading, *lines]).encode()


def street(lines: Iterable[str]) -> bytes:
    return csv_of(STREET_HEADING, lines)


def month_after(month: date, count: int = 1) -> date:
    years, zero_based = divmod(month.month - 1 + count, 12)
    return date(month.year + years, zero_based + 1, 1)


def wide(first: date, months: int, cell: Callable[[str, str, date], int | str], extra: Iterable[str] = ()) -> bytes:
    """A borough file: burglary and robbery of 32 boroughs, ``months`` columns from ``first``."""
    columns = [month_after(first, n) for n in range(months)]
    heading = ",".join([WIDE_HEADING, *(f"{m:%Y%m}" for m in columns)])
    kinds = {"Burglary": "Burglary in a Dwelling", "Robbery": "Personal Property"}
    lines = [
        ",".join([borough, major, minor, *(str(cell(borough, major, m)) for m in columns)])
        for borough in BOROUGHS
        for major, minor in kinds.items()
    ]
    return csv_of(heading, [*lines, *extra])


def zipped(members: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def drop(settings: Settings, name: str, content: bytes, source: str = "police_open") -> None:
    """Put a file into the inbox."""
    folder = settings.inbox / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    long_ago = time.time() - 3600  # a file just written is looked at twice, in case it still grows
    os.utime(folder / name, (long_ago, long_ago))


def load(settings: Settings, feed: str) -> list[Delivery]:
    """Receive and load what waits for the feed; every account in the warehouse must then add up."""
    before = max((d.delivery_id for d in deliveries(settings)), default=0)
    load_arrivals(settings, feed, receive(settings, feed))
    assert_accounts(settings)
    return [d for d in deliveries(settings) if d.delivery_id > before and d.feed == feed]


def deliver(settings: Settings, feed: str, name: str, content: bytes, source: str = "police_open") -> Delivery:
    """Deliver one document and return its account."""
    drop(settings, name, content, source)
    (delivery,) = load(settings, feed)
    return delivery


def deliveries(settings: Settings) -> list[Delivery]:
    columns = ", ".join(Delivery.__dataclass_fields__)
    with connect(settings) as connection, connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(f"select {columns} from quality.delivery order by delivery_id".encode()).fetchall()


def query(settings: Settings, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(statement.encode(), parameters).fetchall()


def one(settings: Settings, statement: str, *parameters: Any) -> Any:
    return query(settings, statement, *parameters)[0][0]


def current(settings: Settings, feed: str) -> Counter[tuple[Any, ...]]:
    """The records that stand now, by key, values and number."""
    return Counter(
        query(
            settings,
            f"select record_key, row_hash, occurrence from raw.{feed} where withdrawn_delivery_id is null",
        )
    )


def assert_accounts(settings: Settings) -> None:
    """What ``quality.delivery`` says is what raw and quarantine really hold, for every delivery."""
    feeds = list(load_contracts(settings.contracts_dir))
    raw = " union all ".join(f"select delivery_id, withdrawn_delivery_id, '{f}' as feed from raw.{f}" for f in feeds)
    wrong = query(
        settings,
        f"""
        with held as ({raw}),
        came as (select delivery_id, count(*) as n from held group by delivery_id),
        gone as (select withdrawn_delivery_id as delivery_id, count(*) as n from held group by 1),
        faulty as (select delivery_id, count(*) as n from quality.quarantine group by delivery_id)
        select d.delivery_id, d.state, d.rows_in, d.rows_admitted, came.n, d.rows_quarantined, faulty.n,
            d.rows_withdrawn, gone.n
        from quality.delivery as d
        left join came using (delivery_id) left join gone using (delivery_id) left join faulty using (delivery_id)
        where d.rows_admitted <> coalesce(came.n, 0) or d.rows_quarantined <> coalesce(faulty.n, 0)
            or d.rows_in <> d.rows_admitted + d.rows_unchanged + d.rows_quarantined
            or d.rows_withdrawn > coalesce(gone.n, 0)
            or (d.state <> 'admitted' and (came.n > 0 or faulty.n > 0 or gone.n > 0))
        """,
    )
    assert not wrong
    # a part has one holder, and what stands now was said or confirmed by a delivery that speaks for its part
    assert not query(
        settings,
        "select feed, scope, period from quality.delivery_coverage where is_current"
        " group by feed, scope, period having count(*) > 1",
    )
    assert not query(
        settings,
        f"""
        select h.feed, h.delivery_id from ({raw}) as h
        left join quality.delivery as d on d.delivery_id = h.delivery_id and d.feed = h.feed and d.state = 'admitted'
        where d.delivery_id is null
        """,
    )


def alerts(settings: Settings) -> dict[str, str]:
    """Open alerts: what they are about, and their words."""
    return dict(query(settings, "select dedup_key, title || ': ' || body from quality.alert where state = 'open'"))


def wipe(settings: Settings) -> None:
    """Empty the warehouse, for one more run within the same test."""
    feeds = ", ".join(f"raw.{feed}" for feed in load_contracts(settings.contracts_dir))
    with connect(settings) as connection:
        connection.execute(
            f"truncate quality.landed_file, quality.arrival, quality.delivery, quality.delivery_coverage,"
            f" quality.confirmation, quality.absence,"
            f" quality.quarantine, quality.alert, quality.alert_event, quality.outbox, quality.build_delivery,"
            f" quality.check_result, {feeds}".encode()
        )
