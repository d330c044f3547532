"""Twenty nights with faults: the warehouse ends as one that was only ever given clean deliveries."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

from psycopg import sql
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners
from saferkc.simulation.partner_faults import FAULTS
from saferkc.simulation.partners import file_name
from saferkc.warehouse.connection import connect

FIRST, NIGHTS = date(2017, 5, 16), 20
SCALE = 0.3
# record key of each feed: as columns, and as headings of its text
FEEDS = {
    "police_offences": {"offence_id_police": "Crime Reference"},
    "police_victims": {"offence_id_police": "Crime Reference", "victim_number": "Victim Number"},
    "tmo_asb_cases": {"case_id_tmo": "CASE_REF"},
    "council_enforcement_actions": {"action_id_council": "actionId"},
}
# the agency sends the file again, as it should have been, on the night after
SENT_AGAIN = (
    "partner_late", "partner_cut_off", "partner_wrong_month", "partner_missing_column", "partner_renamed_column",
    "partner_utf16", "partner_wrong_key",
)  # fmt: skip
HARMLESS = (
    "partner_double", "partner_new_column", "partner_reordered_columns", "partner_bom", "partner_line_ends",
    "partner_page_twice",
)  # fmt: skip
SPOIL_ROWS = (
    "partner_open_quote", "partner_delimiter_in_text", "partner_text_in_numbers", "partner_impossible_dates",
    "partner_formulas",
)  # fmt: skip
Warehouse = Callable[[Path, str], AbstractContextManager[Settings]]


def load_all(settings: Settings) -> None:
    for feed in FEEDS:
        load_arrivals(settings, feed, receive(settings, feed))


def standing(settings: Settings, feed: str) -> dict[tuple[str, ...], str]:
    """The current version of each record of a feed: its key, and the hash of all of its columns."""
    keys = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in FEEDS[feed])
    query = sql.SQL("select row_hash::text, {} from {} where withdrawn_delivery_id is null")
    with connect(settings) as connection:
        return {tuple(key): hash for hash, *key in connection.execute(query.format(keys, sql.Identifier("raw", feed)))}


def accounts_add_up(settings: Settings) -> bool:
    with connect(settings) as connection:
        return not connection.execute(
            "select 1 from quality.delivery where state = 'admitted'"
            " and rows_in <> rows_admitted + rows_unchanged + rows_quarantined"
        ).fetchall()


def test_twenty_nights_of_faults_end_as_twenty_clean_ones(
    settings: Settings, new_warehouse: Warehouse, template_database: str, tmp_path: Path
) -> None:
    chance = random.Random(1)  # noqa: S311  (no secret)
    clean, resent, spoilt, refused = tmp_path / "clean", [], [], 0
    for number in range(NIGHTS):
        night = FIRST + timedelta(days=number)
        chosen = [
            chance.choice([name for name in (*SENT_AGAIN, *HARMLESS, *SPOIL_ROWS) if FAULTS[name].feed == feed])
            for feed in FEEDS
            if chance.random() < 0.6
        ]
        options = {"date_from": night, "date_to": night, "scale": SCALE, "history": False, "truth": False}
        deliver_partners(settings, feeds=list(FEEDS), scenarios=chosen, **options)  # type: ignore[arg-type]
        deliver_partners(settings, feeds=list(FEEDS), out=clean, **options)  # type: ignore[arg-type]
        for path in resent:
            shutil.copy(path, settings.inbox / path.parent.name / path.name)
        told = settings.home / "truth" / "simulated_faults.json"
        done = json.loads(told.read_text()) if chosen and told.exists() else []
        told.unlink(missing_ok=True)
        resent = [clean_file(clean, what["feed"], night) for what in done if what["scenario"] in SENT_AGAIN]
        refused += len([what for what in done if what["scenario"] in SENT_AGAIN and what["scenario"] != "partner_late"])
        spoilt += [(what["feed"], what["file"], what["lines"]) for what in done if what["lines"]]
        load_all(settings)
    for path in resent:
        shutil.copy(path, settings.inbox / path.parent.name / path.name)
    load_all(settings)

    (tmp_path / "other").mkdir()
    with new_warehouse(tmp_path / "other", template_database) as other:
        # the same keys, so that the same person has the same token in both
        shutil.copytree(settings.home / "keys", other.home / "keys")
        shutil.copytree(clean, other.inbox)
        load_all(other)
        for feed in FEEDS:
            with_faults, without = standing(settings, feed), standing(other, feed)
            differing = {key for key in with_faults.keys() | without if with_faults.get(key) != without.get(key)}
            assert differing <= {
                key for of, file, lines in spoilt if of == feed for key in keys_of(clean, feed, file, lines)
            }
            assert len(differing) < len(without) / 2
    with connect(settings) as connection:
        rows = connection.execute(
            "select d.feed, d.source_name, q.line_number from quality.quarantine q"
            " join quality.delivery d using (delivery_id)"
        ).fetchall()
        found = connection.execute("select count(*) from quality.delivery where state = 'refused'").fetchone()
    assert sorted(rows) == sorted((feed, file, line) for feed, file, lines in spoilt for line in lines)
    assert found == (refused,)
    assert refused > 0 < len(rows)
    assert accounts_add_up(settings)


def clean_file(clean: Path, feed: str, night: date) -> Path:
    (path,) = clean.rglob(file_name(feed, night))
    return path


def keys_of(clean: Path, feed: str, file: str, lines: list[int]) -> list[tuple[str, ...]]:
    """Keys of the records that stood on lines of a file that were spoilt."""
    (path,) = clean.rglob(file)
    rows = list(csv.DictReader(io.StringIO(path.read_text()), delimiter="|" if path.suffix == ".txt" else ","))
    return [tuple(rows[line - 2][heading] for heading in FEEDS[feed].values()) for line in lines]
