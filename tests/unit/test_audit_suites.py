"""The suites on the marts, read without a database."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from saferkc.publishing.suites import SuiteError, load_suites
from saferkc.settings import Settings

SETTINGS = Settings.load()
SUITES = load_suites(SETTINGS.suites_dir)
CHECK = {
    "name": "n",
    "severity": "error",
    "owner": "engineers",
    "meaning": "It means this.",
    "next_step": "Do that.",
    "finds_nothing": "select 1 from {batch}",
}


def write(folder: Path, **changes: object) -> Path:
    check = {key: value for key, value in (CHECK | changes).items() if value is not None}
    suite = {"schema": "core", "description": "d", "tables": [{"table": "dim_ward", "checks": [check]}]}
    (folder / "core.yaml").write_text(yaml.safe_dump(suite))
    return folder


def test_every_mart_schema_has_its_suite() -> None:
    marts = SETTINGS.dbt_project_dir / "models" / "marts"
    schemas = {path.name for path in marts.iterdir() if path.is_dir()}
    assert schemas
    assert {suite.schema_name for suite in SUITES} == schemas


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.schema_name)
def test_a_suite_speaks_of_models_that_exist(suite) -> None:  # type: ignore[no-untyped-def]
    marts = SETTINGS.dbt_project_dir / "models" / "marts" / suite.schema_name
    models = {path.stem for path in marts.glob("*.sql")}
    assert {table.table for table in suite.tables} <= models


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.schema_name)
def test_every_check_says_what_it_means_and_what_to_do(suite) -> None:  # type: ignore[no-untyped-def]
    for table in suite.tables:
        for one in table.checks:
            check = one.check(7)
            for text in (check.meaning, check.next_step):
                assert text.endswith("."), check.name
                assert len(text.split()) >= 4, check.name
            assert check.query is None or "{build_id}" not in check.query


def test_every_monthly_mart_is_asked_about_its_counting() -> None:
    marts = SETTINGS.dbt_project_dir / "models" / "marts"
    compared = {path.stem for path in marts.glob("*/*.sql") if "compare_months(" in path.read_text()}
    asked = {
        (table.table, check.expectation)
        for suite in SUITES
        for table in suite.tables
        for check in table.checks
        if check.expectation in ("expect_no_change_suspected", "expect_no_year_compared_over_a_break")
    }
    assert len(compared) > 10
    assert asked == {
        (table, expectation)
        for table in compared
        for expectation in ("expect_no_change_suspected", "expect_no_year_compared_over_a_break")
    }


def test_what_a_mart_is_asked_about_its_counting_is_what_it_compares_by() -> None:
    for suite in SUITES:
        for table in suite.tables:
            for check in table.checks:
                if check.expectation == "expect_no_change_suspected":
                    model = SETTINGS.dbt_project_dir / "models" / "marts" / suite.schema_name / f"{table.table}.sql"
                    assert f"class_column='{check.arguments['class_column']}'" in model.read_text(), table.table


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"severity": "fatal"}, "severity"),
        ({"meaning": None}, "meaning"),
        ({"colour": "red"}, "colour"),
        ({"finds_nothing": "select 1"}, "must read from {batch}"),
        ({"finds_nothing": None}, "either"),
        ({"expectation": "expect_column_to_exist"}, "either"),
        ({"finds_nothing": None, "expectation": "drop table"}, "expectation"),
    ],
)
def test_a_wrong_suite_is_refused_with_the_place(tmp_path: Path, changes: dict[str, object], fault: str) -> None:
    with pytest.raises(SuiteError, match=r"core\.yaml") as wrong:
        load_suites(write(tmp_path, **changes))
    assert fault in str(wrong.value)


def test_a_suite_is_called_by_its_schema(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "core.yaml").rename(tmp_path / "other.yaml")
    with pytest.raises(SuiteError, match="called by its schema, here core"):
        load_suites(tmp_path)


def test_no_suite_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no suite"):
        load_suites(tmp_path)
