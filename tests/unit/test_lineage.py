"""Lineage tells what was made of what, and carries no text in which a value might stand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from loopback import serving
from saferkc.monitoring import tell_of_build, tell_of_load
from saferkc.settings import Settings

CANARY = "Zebedee Quillfeather"
MODEL = "model.saferkc.burglary_monthly"
BROKEN = "model.saferkc.fct_offence"
SOURCE = "source.saferkc.raw.police_offences"
TEST = "test.saferkc.no_names"


def node(unique_id: str, kind: str, schema: str, depends_on: tuple[str, ...] = ()) -> dict[str, Any]:
    name = unique_id.rsplit(".", maxsplit=1)[-1]
    return {
        "unique_id": unique_id,
        "resource_type": kind,
        "name": name,
        "alias": name,
        "identifier": name,
        "database": "warehouse",
        "schema": schema,
        "package_name": "saferkc",
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "description": f"one row a month, {CANARY}",
        "columns": {
            "month": {"name": "month", "description": "first day", "data_type": "date", "meta": {}, "tags": []}
        },
        "meta": {"meaning": CANARY},
        "tags": [],
        "config": {"materialized": "table", "meta": {"meaning": CANARY}},
        "depends_on": {"nodes": list(depends_on)},
        "compiled_code": f"select month from warehouse.raw.police_offences where name = '{CANARY}'",
    }


def result(unique_id: str, status: str) -> dict[str, Any]:
    time = [
        {"name": name, "started_at": "2026-11-27T04:40:00Z", "completed_at": "2026-11-27T04:41:00Z"}
        for name in ("compile", "execute")
    ]
    return {
        "unique_id": unique_id,
        "status": status,
        "timing": time,
        "message": f'invalid input syntax for type date: "{CANARY}"',
        "failures": 1,
        "adapter_response": {"rows_affected": 12},
        "compiled_code": f"select '{CANARY}'",
    }


@pytest.fixture
def dbt_project(tmp_path: Path) -> Path:
    """A folder with what dbt leaves of a build in which a model and a test failed."""
    target = tmp_path / "target"
    target.mkdir()
    schema = "https://schemas.getdbt.com/dbt/{}.json"
    nodes = {
        MODEL: node(MODEL, "model", "build_burglary", (SOURCE,)),
        BROKEN: node(BROKEN, "model", "build_core", (SOURCE,)),
        TEST: node(TEST, "test", "tests", (MODEL,)),
    }
    manifest = {
        "metadata": {
            "dbt_schema_version": schema.format("manifest/v12"),
            "dbt_version": "1.11.0",
            "adapter_type": "postgres",
        },
        "nodes": nodes,
        "sources": {SOURCE: node(SOURCE, "source", "raw")},
        "parent_map": {name: one["depends_on"]["nodes"] for name, one in nodes.items()},
        "child_map": {},
        "exposures": {},
    }
    results = {
        "metadata": {
            "dbt_schema_version": schema.format("run-results/v6"),
            "dbt_version": "1.11.0",
            "generated_at": "2026-11-27T04:41:00Z",
        },
        "args": {"which": "build", "profiles_dir": str(tmp_path)},
        "results": [result(MODEL, "success"), result(BROKEN, "error"), result(TEST, "fail")],
        "elapsed_time": 1.0,
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    (target / "run_results.json").write_text(json.dumps(results))
    (tmp_path / "dbt_project.yml").write_text("{name: saferkc, profile: saferkc}")
    profile = {
        "type": "postgres",
        "host": "127.0.0.1",
        "port": 5432,
        "user": "u",
        "password": CANARY,
        "dbname": "warehouse",
        "schema": "s",
    }
    (tmp_path / "profiles.yml").write_text(
        json.dumps({"saferkc": {"target": "warehouse", "outputs": {"warehouse": profile}}})
    )
    return tmp_path


def events(settings: Settings) -> list[dict[str, Any]]:
    files = list((settings.home / "lineage").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def home(tmp_path: Path) -> Callable[[str], Settings]:
    def make(lineage: str) -> Settings:
        warehouse = f"postgresql://u:{CANARY.replace(' ', '')}@127.0.0.1:5432/warehouse"
        return Settings(tmp_path / "home", tmp_path, warehouse, lineage=lineage)

    return make


def test_a_build_is_told_as_structure_alone(dbt_project: Path, home: Callable[[str], Settings]) -> None:
    settings = home("file")
    tell_of_build(settings, dbt_project)
    told = events(settings)
    made = {
        (one["eventType"], source["name"], mart["name"])
        for one in told
        for source in one["inputs"]
        for mart in one["outputs"]
    }
    source = "warehouse.raw.police_offences"
    assert ("COMPLETE", source, "warehouse.build_burglary.burglary_monthly") in made
    failed = {one["job"]["name"] for one in told if one["eventType"] == "FAIL"}
    assert "warehouse.build_core.saferkc.fct_offence.build.run" in failed
    whole = json.dumps(told)
    assert '"month"' in whole  # columns are told
    assert "Zebedee" not in whole and "select" not in whole


def test_a_load_meets_the_build_in_the_raw_table(dbt_project: Path, home: Callable[[str], Settings]) -> None:
    settings = home("file")
    tell_of_load(settings, "police_offences", "police", 12)
    tell_of_build(settings, dbt_project)
    load, *build = events(settings)
    (raw,) = load["outputs"]
    assert raw["outputFacets"]["outputStatistics"]["rowCount"] == 12
    assert (raw["namespace"], raw["name"]) in {
        (source["namespace"], source["name"]) for one in build for source in one["inputs"]
    }
    assert "Zebedee" not in json.dumps(load)


@contextmanager
def receiver(answer: int = 201) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A receiver of OpenLineage over HTTP on loopback, which answers so, and what it was sent to which path."""
    received: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            received.append((self.path, json.loads(gzip.decompress(body) if is_packed else body)))
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}", received


def test_a_receiver_gets_over_http_what_would_stand_in_the_file(
    dbt_project: Path, home: Callable[[str], Settings]
) -> None:
    with receiver() as (address, received):
        tell_of_load(home(address), "police_offences", "police", 12)
        tell_of_build(home(address), dbt_project)
    tell_of_load(home("file"), "police_offences", "police", 12)
    tell_of_build(home("file"), dbt_project)
    assert {path for path, _ in received} == {"/api/v1/lineage"}

    def named(told: list[dict[str, Any]]) -> list[tuple[str, str, list[str], list[str]]]:
        return [
            (
                one["eventType"], one["job"]["name"], [source["name"] for source in one["inputs"]],
                [made["name"] for made in one["outputs"]],
            )
            for one in told
        ]  # fmt: skip

    sent = [event for _, event in received]
    assert len(sent) > 3
    assert named(sent) == named(events(home("file")))
    assert sent[0]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 12
    assert "Zebedee" not in json.dumps(sent)


def test_a_receiver_that_refuses_keeps_nothing_from_going_on(
    home: Callable[[str], Settings], caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(answer=403) as (address, received):
        tell_of_load(home(address), "police_offences", "police", 12)
    assert received, "it was asked"
    assert "lineage could not be sent" in caplog.text


def test_nothing_is_told_when_it_is_off_and_nothing_fails_without_results(
    tmp_path: Path, home: Callable[[str], Settings]
) -> None:
    tell_of_load(home("off"), "police_offences", "police", 12)
    tell_of_build(home("file"), tmp_path / "nowhere")
    assert events(home("file")) == []
