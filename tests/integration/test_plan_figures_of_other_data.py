"""Records are taken out of the plan's year: every figure becomes that of what is left, by the same SQL."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from conftest import PlanWarehouse
from delivered_files import read
from figures_from_files import figures
from marts_helpers import NewWarehouse, begin_build, load_inbox, query, run_dbt
from saferkc.settings import Settings

NIGHT = "20180101"


@dataclass(frozen=True)
class WithoutSome:
    """The plan's warehouse after a night in which the police took back every seventh offence of 2016/17."""

    settings: Settings
    files: Path
    taken_back: int


@pytest.fixture(scope="module")
def without_some(
    plan_warehouse: PlanWarehouse, new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WithoutSome]:
    folder = tmp_path_factory.mktemp("without-some")
    files = folder / "delivered"
    shutil.copytree(plan_warehouse.files, files)
    # the same keys, else the same people would have other tokens from now on
    shutil.copytree(plan_warehouse.settings.home, folder / "home")
    taken_back = _take_back(files / "police")
    database = str(plan_warehouse.settings.external_warehouse_url).rsplit("/", 1)[1]
    with new_warehouse(folder, database) as settings:
        inbox = settings.inbox / "police"
        inbox.mkdir(parents=True, exist_ok=True)
        shutil.copy(files / "police" / f"simulated_offences_{NIGHT}.csv", inbox)
        load_inbox(settings)
        _, full_refresh = begin_build(settings)
        assert not full_refresh, "the night must follow the change, else it shows nothing of late records"
        problems = run_dbt(settings, "--select", "+plan_figure", "--exclude-resource-type", "test", "unit_test")
        assert problems == []
        yield WithoutSome(settings, files, taken_back)


def _take_back(folder: Path) -> int:
    """Write a night's file in which every seventh offence of the plan's year is sent again as deleted."""
    history = min(folder.glob("simulated_offences_2*.csv"))
    offences = pd.read_csv(history, dtype=str, keep_default_na=False)
    recorded = pd.to_datetime(offences["Recorded Date"], format="%d/%m/%Y")
    standing = offences[recorded.between("2016-04-01", "2017-03-31") & (offences["Record Status"] != "Deleted")]
    deleted = standing.iloc[::7].assign(**{"Record Status": "Deleted"})
    deleted.to_csv(folder / f"simulated_offences_{NIGHT}.csv", index=False)
    return len(deleted)


def test_with_records_removed_every_figure_is_that_of_what_is_left(
    plan_warehouse: PlanWarehouse, without_some: WithoutSome
) -> None:
    statement = "select figure_id, computed_value from build_partnership.plan_figure"
    before = dict(query(plan_warehouse.settings, statement))
    now = {figure: None if value is None else float(value) for figure, value in query(without_some.settings, statement)}
    from_files = {
        # some marts keep six decimals of a share, which is four of a percentage
        figure: None if math.isnan(value) else pytest.approx(value, abs=1e-4)
        for figure, value in figures(read(without_some.files), 2016).items()
    }
    assert {figure: now[figure] for figure in from_files} == from_files
    assert now["crime_total"] == float(before["crime_total"]) - without_some.taken_back
    changed = sum(value is not None and float(value) != now[figure] for figure, value in before.items())
    assert changed > 60, "taking offences away hardly moved a figure"


def test_a_figure_that_is_the_plans_no_more_is_said_to_differ(without_some: WithoutSome) -> None:
    rows = query(
        without_some.settings,
        "select figure_id, status, reason from build_partnership.plan_figure"
        " where figure_id in ('crime_total', 'tfmv_offences', 'vawg_da_share_violence', 'angelou_referrals')",
    )
    status = {figure: status for figure, status, _ in rows}
    assert status == {
        "crime_total": "differs",
        "tfmv_offences": "differs",
        "vawg_da_share_violence": "contradictory",
        "angelou_referrals": "reproduced",
    }
    reasons = {figure: reason for figure, _, reason in rows}
    assert reasons["crime_total"] == f"Computed {19974 - without_some.taken_back:,}; the plan prints 19,974."
