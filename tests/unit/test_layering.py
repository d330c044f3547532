"""The layering lint finds each kind of breach, and nothing where models keep to their layers."""

from __future__ import annotations

from typing import Any

import pytest
from layering import breaches


def source(source_name: str, name: str) -> dict[str, Any]:
    return {"resource_type": "source", "source_name": source_name, "name": name, "fqn": ["saferkc", "staging", name]}


def seed(name: str) -> dict[str, Any]:
    return {"resource_type": "seed", "name": name, "fqn": ["saferkc", name]}


def model(name: str, *place: str, reads: tuple[str, ...] = (), enforced: bool = True) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "fqn": ["saferkc", *place, name],
        "depends_on": {"nodes": list(reads)},
        "config": {"contract": {"enforced": enforced and place[0] == "marts"}},
    }


SOUND = {
    "raw": source("raw", "police_offences"),
    "accounts": source("quality", "delivery"),
    "seed": seed("boroughs"),
    "stg": model("stg_police__offences", "staging", "police", reads=("raw", "accounts")),
    "int": model("int_offences__monthly", "intermediate", reads=("stg", "fct", "seed", "accounts")),
    "dim": model("dim_borough", "marts", "core", reads=("seed",)),
    "fct": model("fct_offence", "marts", "core", reads=("stg", "dim")),
    "vawg": model("vawg_monthly", "marts", "vawg", reads=("int", "dim", "fct", "seed", "accounts")),
    "vawg_year": model("vawg_financial_year", "marts", "vawg", reads=("vawg",)),
    "plan": model("plan_measure", "marts", "partnership", reads=("vawg_year", "int", "dim", "seed")),
}


def test_models_that_keep_to_their_layers_break_nothing() -> None:
    assert breaches(SOUND) == set()


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (model("stg_a", "staging", "police", reads=("stg",)), "stg_a (staging) reads stg_police__offences (staging)"),
        (model("stg_a", "staging", "police", reads=("seed",)), "stg_a (staging) reads boroughs (seed)"),
        (model("int_a", "intermediate", reads=("raw",)), "int_a (intermediate) reads police_offences (raw)"),
        (model("int_a", "intermediate", reads=("vawg",)), "int_a (intermediate) reads vawg_monthly (vawg)"),
        (model("fct_a", "marts", "core", reads=("raw",)), "fct_a (core) reads police_offences (raw)"),
        (model("fct_a", "marts", "core", reads=("plan",)), "fct_a (core) reads plan_measure (partnership)"),
        (model("asb_a", "marts", "asb", reads=("stg",)), "asb_a (asb) reads stg_police__offences (staging)"),
        (model("asb_a", "marts", "asb", reads=("vawg",)), "asb_a (asb) reads vawg_monthly (vawg)"),
        (model("asb_a", "marts", "asb", reads=("plan",)), "asb_a (asb) reads plan_measure (partnership)"),
        (
            model("plan_a", "marts", "partnership", reads=("stg",)),
            "plan_a (partnership) reads stg_police__offences (staging)",
        ),
        (model("asb_a", "marts", "asb", enforced=False), "asb_a is public and has no enforced contract"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_of_breach_is_found(node: dict[str, Any], said: str) -> None:
    assert breaches({**SOUND, "new": node}) == {said}
