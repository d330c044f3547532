"""Twenty nights of all partners: late, twice, in any order, killed half-way; the warehouse is that of clean ones."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from loading_helpers import assert_accounts, query
from saferkc.contracts import load_contracts
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.simulation import PARTNER_FEEDS, deliver_partners

LAST_NIGHT = date(2017, 4, 20)
BATCHES = 5
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


@dataclasses.dataclass(frozen=True)
class Nights:
    """The files of twenty nights by their path below the inbox, and what a clean warehouse says of them."""

    folder: Path
    files: list[Path]
    keys: Path
    standing: dict[str, list[Any]]


@pytest.fixture(scope="module")
def nights(new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("clean-nights")
    with new_warehouse(folder, template_database) as home:
        own = dataclasses.replace(home, keys_dir=folder / "keys")
        sent = folder / "sent"
        written = deliver_partners(
            own, date_from=date(2017, 3, 1), date_to=LAST_NIGHT, scale=0.05, out=sent, nights=20, truth=False
        )
        files = sorted(path.relative_to(sent) for path in written)
        assert len(files) > 20 * 6
        give(own, sent, files)
        load_all(own)
        assert {state for (state,) in query(own, "select state from quality.delivery")} == {"admitted"}
        yield Nights(sent, files, folder / "keys", all_that_is_known(own))


def give(settings: Settings, folder: Path, files: Sequence[Path]) -> None:
    for file in files:
        target = settings.inbox / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / file, target)
        os.utime(target, (1, 1))  # it is not growing


def load_all(settings: Settings) -> None:
    for feed in PARTNER_FEEDS:
        load_arrivals(settings, feed, receive(settings, feed))


def all_that_is_known(settings: Settings) -> dict[str, list[Any]]:
    """Of every feed, what stands now and what was known on three days, by hash."""
    hashes = "select record_key, row_hash from raw"
    known: dict[str, list[Any]] = {}
    for feed in PARTNER_FEEDS:
        known[feed] = query(settings, f"{hashes}.{feed} where withdrawn_delivery_id is null order by 1, 2")
        for day in (date(2017, 4, 2), date(2017, 4, 9), date(2017, 4, 16)):
            known[f"{feed} {day}"] = query(settings, f"{hashes}.{feed}_as_known_on(%s) order by 1, 2", day)
    return known


@pytest.fixture
def other_home(nights: Nights, new_warehouse: Any, template_database: str, tmp_path: Path) -> Iterator[Settings]:
    """Another home with the same keys, so that tokens and hashes can be compared."""
    with new_warehouse(tmp_path, template_database) as own:
        yield dataclasses.replace(own, keys_dir=nights.keys)


def test_every_kind_of_extract_is_among_the_partners() -> None:
    contracts = load_contracts(Settings.load().contracts_dir)
    assert {contracts[feed].delivery.extract for feed in PARTNER_FEEDS} == {"full", "changes"}


def test_nights_late_twice_in_any_order_and_killed_half_way_give_the_warehouse_of_clean_ones(
    nights: Nights, other_home: Settings
) -> None:
    chance = random.Random(2017)  # noqa: S311  (no secret)
    files = nights.files + chance.sample(nights.files, len(nights.files) // 4)
    chance.shuffle(files)
    share = len(files) // BATCHES + 1
    killed = 0
    for start in range(0, len(files), share):
        give(other_home, nights.folder, files[start : start + share])
        killed += loading_was_killed(other_home, nights.keys, chance.uniform(0.1, 1.5))
        assert_accounts(other_home)
        load_all(other_home)
    assert killed > BATCHES / 2, "most were killed while they worked"
    assert_accounts(other_home)
    assert all_that_is_known(other_home) == nights.standing
    assert query(other_home, "select count(*) from quality.arrival where taken_at is null") == [(0,)]


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
