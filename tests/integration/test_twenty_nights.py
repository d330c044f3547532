"""Twenty nights of all partners with faults, late, twice, in any order, killed half-way: they end as clean ones do.

And so do the marts, which followed the changes of those nights, end where a build of everything ends.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from loading_helpers import assert_accounts, query
from marts_helpers import begin_build, end_build, fingerprints, run_dbt
from saferkc.contracts import load_contracts
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.simulation import PARTNER_FEEDS, deliver_partners
from saferkc.simulation.partner_faults import FAULTS, spoil
from saferkc.simulation.partners import file_stem

CONTRACTS = load_contracts(Settings.load().contracts_dir)
LAST_NIGHT, NIGHTS, SCALE = date(2017, 4, 20), 20, 0.1
# it brings the history, of which a tenth would be too much to be spoilt
FIRST_NIGHT = LAST_NIGHT - timedelta(days=NIGHTS - 1)
DAYS = (date(2017, 4, 2), date(2017, 4, 9), date(2017, 4, 16))
# what the agencies send comes in so many heaps; of each heap so many files a feed have a fault
HEAPS, FAULTS_A_HEAP = 5, 4
# after this heap the marts are built from nothing; what they become by the end follows the changes of the others
BUILT_AFTER = 1
MODELS = ("--resource-type", "model", "--resource-type", "seed", "--select", "+path:models/marts")
# the agency sends the file again, as it should have been, in the next heap
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
SPOILT_FEEDS = sorted({FAULTS[name].feed for name in (*SENT_AGAIN, *HARMLESS, *SPOIL_ROWS)})
# a night's loading in a process of its own, which may be killed at any moment
LOAD = """
import os
from pathlib import Path
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.simulation import PARTNER_FEEDS

home, root, url, keys = (os.environ[f"NIGHT_{name}"] for name in ("HOME", "ROOT", "URL", "KEYS"))
settings = Settings(home=Path(home), project_root=Path(root), external_warehouse_url=url, keys_dir=Path(keys))
print("begins", flush=True)
for feed in PARTNER_FEEDS:
    load_arrivals(settings, feed, receive(settings, feed))
"""
Known = dict[tuple[Any, ...], str]


@dataclasses.dataclass(frozen=True)
class Nights:
    """The files of twenty nights by their path below the inbox, and what a clean warehouse says of them."""

    folder: Path
    files: list[Path]
    keys: Path
    known: dict[str, Known]


@dataclasses.dataclass
class Spoilt:
    """What was done to files: which, lines that were spoilt, files to be sent again, deliveries to be refused."""

    files: list[Path] = dataclasses.field(default_factory=list)
    lines: list[tuple[str, Path, int]] = dataclasses.field(default_factory=list)
    again: list[Path] = dataclasses.field(default_factory=list)
    refused: int = 0


@pytest.fixture(scope="module")
def nights(new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("clean-nights")
    with new_warehouse(folder, template_database) as home:
        own = dataclasses.replace(home, keys_dir=folder / "keys")
        sent = folder / "sent"
        written = deliver_partners(
            own, date_from=date(2017, 3, 1), date_to=LAST_NIGHT, scale=SCALE, out=sent, nights=NIGHTS, truth=False
        )
        files = sorted(path.relative_to(sent) for path in written)
        assert len(files) > NIGHTS * 6
        give(own, sent, files)
        load_all(own)
        assert {state for (state,) in query(own, "select state from quality.delivery")} == {"admitted"}
        yield Nights(sent, files, folder / "keys", all_that_is_known(own))


@pytest.fixture
def other_home(nights: Nights, new_warehouse: Any, template_database: str, tmp_path: Path) -> Iterator[Settings]:
    """Another home with the same keys, so that tokens and hashes can be compared."""
    with new_warehouse(tmp_path, template_database) as own:
        yield dataclasses.replace(own, keys_dir=nights.keys)


def give(settings: Settings, folder: Path, files: Sequence[Path]) -> None:
    for file in files:
        target = settings.inbox / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / file, target)
        os.utime(target, (1, 1))  # it is not growing


def load_all(settings: Settings) -> None:
    for feed in PARTNER_FEEDS:
        load_arrivals(settings, feed, receive(settings, feed))


def build_marts(settings: Settings, *, full_refresh: bool = False) -> dict[str, tuple[int, str]]:
    """Build and publish the marts as a night does; returns the rows of each and a hash over them."""
    build_id, is_full = begin_build(settings, full_refresh=full_refresh)
    assert run_dbt(settings, *MODELS, full_refresh=is_full) == []
    end_build(settings, build_id, "published")
    return fingerprints(settings)


def all_that_is_known(settings: Settings) -> dict[str, Known]:
    """Of every feed, what stands now and what was known on three days: the hash of each record, by day and key."""
    known: dict[str, Known] = {}
    for feed in PARTNER_FEEDS:
        columns = f"row_hash::text, {', '.join(CONTRACTS[feed].key_columns)}"
        now = query(settings, f"select {columns} from raw.{feed} where withdrawn_delivery_id is null")
        known[feed] = {(None, *map(str, key)): row_hash for row_hash, *key in now}
        assert len(known[feed]) == len(now), "each record stands once"
        for day in DAYS:
            then = query(settings, f"select {columns} from raw.{feed}_as_known_on(%s)", day)
            known[feed] |= {(day, *map(str, key)): row_hash for row_hash, *key in then}
    return known


def spoil_some(settings: Settings, heap: Sequence[Path], chance: random.Random, turns: dict[str, Any]) -> Spoilt:
    """Put the simulator's faults into some of the files that lie in the inbox; each has its turn."""
    spoilt = Spoilt()
    for feed in SPOILT_FEEDS:
        own = {file for file in heap if file.name.startswith(f"{file_stem(feed)}_") and night_of(file) > FIRST_NIGHT}
        own = {file for file in own if holds_rows(settings.inbox / file)}
        for file in chance.sample(sorted(own), min(len(own), FAULTS_A_HEAP)):
            names = [name for name in (*SENT_AGAIN, *HARMLESS, *SPOIL_ROWS) if FAULTS[name].feed == feed]
            scenario, path = next(turns.setdefault(feed, cycle(names))), settings.inbox / file
            for made in spoil([path], {feed: path.name}, [scenario], night_of(file), settings.home / "truth"):
                os.utime(made, (1, 1))
            (done,) = json.loads((settings.home / "truth" / "simulated_faults.json").read_text())
            spoilt.files.append(file)
            spoilt.lines += [(feed, file, line) for line in done["lines"]]
            if scenario in SENT_AGAIN:
                spoilt.again.append(file)
                spoilt.refused += scenario != "partner_late"
    return spoilt


def holds_rows(file: Path) -> bool:
    """Whether there is enough in a file for something of it to be spoilt."""
    return file.read_bytes().count(b"\n") > 3


def night_of(file: Path) -> date:
    return date.fromisoformat(file.stem[-8:])


def keys_of(nights: Nights, feed: str, file: Path, line: int) -> tuple[str, ...]:
    """The key of the record that stands on a line of a clean file."""
    text = (nights.folder / file).read_text()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="|" if file.suffix == ".txt" else ","))
    headings = [(CONTRACTS[feed].column(name).origin.headings or [])[0] for name in CONTRACTS[feed].key_columns]
    return tuple(rows[line - 2][heading] for heading in headings)


def loading_was_killed(settings: Settings, keys: Path, seconds: float) -> bool:
    """Load what lies in the inbox in another process, and kill that after so long; whether it was still at it."""
    environment = os.environ | {
        "NIGHT_HOME": str(settings.home),
        "NIGHT_ROOT": str(settings.project_root),
        "NIGHT_URL": settings.warehouse_url,
        "NIGHT_KEYS": str(keys),
    }
    with subprocess.Popen([sys.executable, "-c", LOAD], env=environment, stdout=subprocess.PIPE) as loading:
        assert loading.stdout is not None and loading.stdout.readline() == b"begins\n"
        time.sleep(seconds)
        loading.kill()
        return loading.wait() != 0


def test_every_kind_of_extract_is_among_the_partners() -> None:
    assert {CONTRACTS[feed].delivery.extract for feed in PARTNER_FEEDS} == {"full", "changes"}


def test_nights_with_faults_late_twice_in_any_order_and_killed_half_way_end_as_clean_ones(
    nights: Nights, other_home: Settings
) -> None:
    chance = random.Random(2017)  # noqa: S311  (no secret)
    files = nights.files + chance.sample(nights.files, len(nights.files) // 4)
    chance.shuffle(files)
    share = len(files) // HEAPS + 1
    killed, refused = 0, 0
    lines: list[tuple[str, Path, int]] = []
    turns: dict[str, Any] = {}
    ever: list[Path] = []
    again: list[Path] = []
    for number, start in enumerate(range(0, len(files), share)):
        heap = files[start : start + share]
        give(other_home, nights.folder, [*heap, *again])
        spoilt = spoil_some(other_home, [file for file in heap if file not in ever], chance, turns)
        again, refused = spoilt.again, refused + spoilt.refused
        ever, lines = ever + spoilt.files, lines + spoilt.lines
        killed += loading_was_killed(other_home, nights.keys, chance.uniform(0.1, 1.5))
        assert_accounts(other_home)
        load_all(other_home)
        if number == BUILT_AFTER:
            build_marts(other_home)
    give(other_home, nights.folder, again)
    load_all(other_home)
    followed = build_marts(other_home)

    assert killed > HEAPS / 2, "most were killed while they worked"
    assert_accounts(other_home)
    assert query(other_home, "select count(*) from quality.arrival where taken_at is null") == [(0,)]
    refusals = query(other_home, "select feed, source_name, reason from quality.delivery where state = 'refused'")
    assert len(refusals) == refused, refusals
    quarantined = query(
        other_home,
        "select d.feed, d.source_name, q.line_number from quality.quarantine as q"
        " join quality.delivery as d using (delivery_id) order by 1, 2, 3",
    )
    assert quarantined == sorted((feed, file.name, line) for feed, file, line in lines)
    assert refused >= len(SENT_AGAIN) - 1 and len(quarantined) > HEAPS
    missed = {(feed, keys_of(nights, feed, file, line)) for feed, file, line in lines}
    known = all_that_is_known(other_home)
    for feed, clean in nights.known.items():
        differing = {key for key in clean.keys() | known[feed] if clean.get(key) != known[feed].get(key)}
        assert {(feed, key[1:]) for key in differing} <= missed, feed
    whole = build_marts(other_home, full_refresh=True)
    assert [name for name in whole if followed[name] != whole[name]] == []
    facts = {name: rows for name, (rows, _) in whole.items() if name.startswith("build_core.fct_") and rows}
    assert len(facts) > 8, facts
