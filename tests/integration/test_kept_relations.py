"""What a night leaves as it is: tables keep their place, comments are written where they changed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from marts_helpers import query, run_dbt
from saferkc.settings import Settings

_MODELS = {
    "places.sql": "select 1 as place_key, 'Golborne'::text as place_name, 2.5::numeric(5, 1) as share",
    "visits.sql": "{{ config(materialized='incremental', incremental_strategy='replace_all', on_schema_change='fail',"
    " indexes=[{'columns': ['place_key']}]) }} select place_key from {{ ref('places') }}",
    "shown.sql": "{{ config(materialized='view') }} select place_key from {{ ref('places') }}",
}
_COLUMNS = """
models:
  - name: places
    description: One row a place.
    columns:
      - {name: place_key, data_type: integer, description: Its key.}
      - {name: place_name, data_type: text, description: "Its name, with a ' in it."}
      - {name: share, data_type: "numeric(5, 1)", description: ""}
  - name: visits
    description: One row a visit.
    columns:
      - {name: place_key, data_type: integer, description: Where it was.}
  - name: shown
    description: One row a place.
    columns:
      - {name: place_key, data_type: integer, description: Its key.}
"""
_COMMENTS = """
    select relname || coalesce('.' || attname, ''), description
    from pg_description
    join pg_class on objoid = pg_class.oid and classoid = 'pg_class'::regclass
    left join pg_attribute on attrelid = objoid and attnum = objsubid and attnum > 0
    where relnamespace = 'build_core'::regnamespace order by 1
"""
_RELATIONS = """
    select relname, oid::integer from pg_class
    where relnamespace = 'build_core'::regnamespace and relkind in ('r', 'v') order by 1
"""


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """Three small models with the project's own macros, built once."""
    small = replace(settings, project_root=tmp_path / "small")
    models = small.dbt_project_dir / "models" / "marts" / "core"
    models.mkdir(parents=True)
    for part in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(settings.dbt_project_dir / part, small.dbt_project_dir)
    shutil.copytree(settings.dbt_project_dir / "macros", small.dbt_project_dir / "macros")
    for name, text in _MODELS.items():
        (models / name).write_text(text)
    (models / "models.yml").write_text(_COLUMNS)
    assert run_dbt(small, full_refresh=True) == []
    return small


def _rewrite(project: Settings, file: str, old: str, new: str) -> None:
    path = project.dbt_project_dir / "models" / "marts" / "core" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_night_gives_tables_other_rows_and_tells_them_changed_descriptions(project: Settings) -> None:
    relations, comments = query(project, _RELATIONS), dict(query(project, _COMMENTS))
    assert [name for name, _ in relations] == ["places", "shown", "visits"]
    assert comments == {
        "places": "One row a place.", "places.place_key": "Its key.", "places.place_name": "Its name, with a ' in it.",
        "visits": "One row a visit.", "visits.place_key": "Where it was.",
        "shown": "One row a place.", "shown.place_key": "Its key.",
    }  # fmt: skip
    _rewrite(project, "places.sql", "Golborne", "Dalgarno")
    _rewrite(project, "models.yml", "description: Its key.", "description: Key of the place.")
    _rewrite(project, "models.yml", "One row a visit.", "One row a call.")
    assert run_dbt(project) == []
    assert query(project, _RELATIONS) == relations
    assert query(project, "select place_name, share from build_core.places") == [("Dalgarno", 2.5)]
    changed = {"places.place_key": "Key of the place.", "visits": "One row a call."}
    assert dict(query(project, _COMMENTS)) == comments | changed


def test_a_table_whose_model_has_other_columns_is_made_again(project: Settings) -> None:
    _rewrite(project, "places.sql", "2.5::numeric(5, 1) as share", "'much'::text as share, true as is_known")
    _rewrite(project, "models.yml", '"numeric(5, 1)", description: ""}', "text, description: How much.}")
    known = "      - {name: is_known, data_type: boolean, description: So.}"
    _rewrite(project, "models.yml", "How much.}", f"How much.}}\n{known}")
    assert run_dbt(project) == []
    assert query(project, "select share, is_known from build_core.places") == [("much", True)]
    assert ("places.is_known", "So.") in query(project, _COMMENTS)
    # the view went with the table and is there again
    assert query(project, "select place_key from build_core.shown") == [(1,)]


def test_a_model_that_leaves_its_contract_is_told_so(project: Settings) -> None:
    _rewrite(project, "places.sql", "1 as place_key", "'1'::text as place_key")
    problems = run_dbt(project, "--select", "places")
    assert [problem["status"] for problem in problems] == ["error"]
    assert "contract" in problems[0]["message"]
    # with the model's name in dbt's log, though that holds no statements
    log = (project.home / "dbt" / "logs" / "dbt.log").read_text()
    assert "places" in log.split("contract")[0] and "select" not in log.split("contract")[0]
