"""Metrics, which tools ask for by name, say what the marts say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import PlanWarehouse
from marts_helpers import query

Manifest = dict[str, dict[str, Any]]
_YEAR = ("2016-04-01", "2017-03-31")


@pytest.fixture(scope="module")
def semantic(plan_warehouse: PlanWarehouse) -> Manifest:
    """The metrics, and the measures with the model that each belongs to, by name."""
    target = plan_warehouse.settings.home / "dbt" / "target" / "semantic_manifest.json"
    manifest = json.loads(target.read_text())
    measures = {
        measure["name"]: measure | {"model": model}
        for model in manifest["semantic_models"]
        for measure in model["measures"]
    }
    return {"metrics": {metric["name"]: metric for metric in manifest["metrics"]}, "measures": measures}


def value(
    warehouse: PlanWarehouse, semantic: Manifest, name: str, span: tuple[str, str] = _YEAR, where: str = "true"
) -> float:
    """A metric over a span of days, worked out from its definition."""
    metric = semantic["metrics"][name]
    parameters = metric["type_params"]
    of_inputs = {
        asked["alias"] or asked["name"]: value(warehouse, semantic, asked["name"], span, where)
        for asked in [parameters["numerator"], parameters["denominator"], *(parameters["metrics"] or [])]
        if asked
    }
    if metric["type"] == "ratio":
        return of_inputs[parameters["numerator"]["name"]] / of_inputs[parameters["denominator"]["name"]]
    if metric["type"] == "derived":
        return float(eval(parameters["expr"], {}, of_inputs))  # noqa: S307 (our own file)
    measure = semantic["measures"][parameters["measure"]["name"]]
    model = measure["model"]
    day = next(
        dimension["expr"] or dimension["name"]
        for dimension in model["dimensions"]
        if dimension["name"] == (measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"])
    )
    table = f"{model['node_relation']['schema_name']}.{model['node_relation']['alias']}"
    statement = (
        f"select {measure['agg']}({measure['expr']}) from {table}"
        f" where {day} between '{span[0]}' and '{span[1]}' and {where}"
    )
    return float(query(warehouse.settings, statement)[0][0])


def mart(warehouse: PlanWarehouse, column: str, table: str) -> float:
    statement = f"select {column} from {table} where borough_code = 'E09000020' and financial_year = '2016/17'"
    return float(query(warehouse.settings, statement)[0][0])


def test_counts_are_those_of_the_marts(plan_warehouse: PlanWarehouse, semantic: Manifest) -> None:
    def metric(name: str, where: str = "true") -> float:
        return value(plan_warehouse, semantic, name, where=where)

    of_partnership = "build_partnership.total_offences_financial_year"
    assert metric("offence_count") == mart(plan_warehouse, "offence_count", of_partnership)
    assert metric("asb_report_count") == mart(plan_warehouse, "asb_reports", "build_asb.asb_financial_year")
    referrals = mart(plan_warehouse, "angelou_referrals", "build_vawg.vawg_service_financial_year")
    assert metric("vawg_referral_count", "borough_name = 'Kensington and Chelsea'") == referrals


def test_rates_are_those_of_the_marts(plan_warehouse: PlanWarehouse, semantic: Manifest) -> None:
    rate = value(plan_warehouse, semantic, "offences_per_1000_residents")
    assert rate == pytest.approx(
        mart(plan_warehouse, "offences_per_1000_residents", "build_partnership.total_offences_financial_year")
    )
    detected = value(plan_warehouse, semantic, "sanction_detection_rate", where="is_domestic_abuse")
    column = "domestic_abuse_sanction_detection_rate_by_offence_date"
    assert detected == pytest.approx(mart(plan_warehouse, column, "build_vawg.vawg_financial_year"))
    repeats = value(plan_warehouse, semantic, "repeat_victim_rate", span=("2017-03-01", "2017-03-31"))
    column = "domestic_abuse_repeat_victim_share_in_march"
    assert repeats == pytest.approx(mart(plan_warehouse, column, "build_vawg.vawg_financial_year"))


def test_every_metric_is_defined_once_and_described(semantic: Manifest) -> None:
    metrics = semantic["metrics"].values()
    assert {"offence_count", "sanction_detection_rate", "repeat_victim_rate", "offences_per_1000_residents"} <= set(
        semantic["metrics"]
    )
    assert all(len(metric["description"]) > 10 and metric["label"] for metric in metrics)
    definitions = [json.dumps([metric["type"], metric["type_params"]], sort_keys=True) for metric in metrics]
    assert len(set(definitions)) == len(definitions)
