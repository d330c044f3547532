"""The macros of bridged counts, rendered and run in the database, beside the same arithmetic on arrays."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import psycopg
import pytest
from jinja2 import Environment
from saferkc.recording.bridged import Z_SQUARED, bridged, bridged_difference, shares_of_places
from saferkc.settings import Settings

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros" / "bridging.sql"
WEIGHTS = ("weight", "weight_low", "weight_high")
ROWS, CLASSES = 2_000, 3


def _sql(name: str, *columns: str) -> str:
    module = Environment(autoescape=False).from_string(MACROS.read_text()).module  # noqa: S701  (SQL, no page)
    return str(getattr(module, name)(*columns))


def _random_rows() -> tuple[np.ndarray, ...]:
    """Counts now and before, and weights with bounds, shape (rows, classes): some certain, some impossible, some 0."""
    chance = np.random.default_rng(2017)
    now = chance.poisson(chance.choice([0.3, 1, 5, 80, 900], (ROWS, CLASSES))).astype(float)
    before = chance.poisson(chance.choice([0.3, 1, 5, 80, 900], (ROWS, CLASSES))).astype(float)
    weight = chance.choice([0.0, 1.0, 0.05, 0.3, 0.5], (ROWS, CLASSES)) * chance.choice([1.0, 0.9], (ROWS, CLASSES))
    exact = chance.random((ROWS, CLASSES)) < 0.3
    low = np.where(exact, weight, weight * chance.random((ROWS, CLASSES)))
    high = np.where(exact, weight, weight + (1 - weight) * chance.random((ROWS, CLASSES)))
    return now, before, weight, low, high


@pytest.mark.parametrize("kind", ["numeric", "double precision"])
def test_the_database_says_what_arrays_say(embedded_home: Settings, kind: str) -> None:
    rows = _random_rows()
    with psycopg.connect(embedded_home.warehouse_url) as connection:
        connection.execute(
            f"create temporary table counts (number integer, now integer, before integer, weight {kind}, "
            f"weight_low {kind}, weight_high {kind})"
        )
        with connection.cursor().copy("copy counts from stdin") as copy:
            for number in range(ROWS):
                for column in range(CLASSES):
                    now, before, *weights = (values[number, column] for values in rows)
                    copy.write_row((number, int(now), int(before), *map(repr, map(float, weights))))
        selected = connection.execute(
            f"select {_sql('bridged', 'now', 'weight')}, {_sql('bridged_low', 'now', *WEIGHTS)}, "
            f"{_sql('bridged_high', 'now', *WEIGHTS)}, {_sql('bridged_difference', 'now', 'before', 'weight')}, "
            f"{_sql('bridged_difference_low', 'now', 'before', *WEIGHTS)}, "
            f"{_sql('bridged_difference_high', 'now', 'before', *WEIGHTS)} from counts group by number order by number"
        ).fetchall()
    found = np.array(selected, dtype=float).T
    now, before, *weights = rows
    one, two = bridged(now, *weights), bridged_difference(now, before, *weights)
    expected = np.array([one.estimate, one.low, one.high, two.estimate, two.low, two.high])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_both_have_one_constant() -> None:
    assert re.fullmatch(r"\s*2\.7055\s*", _sql("bridging_z_squared"))
    assert float(_sql("bridging_z_squared")) == Z_SQUARED


def test_shares_of_areas_have_the_bounds_that_arrays_say(embedded_home: Settings) -> None:
    chance = np.random.default_rng(2014)
    low_and_high = ", ".join(_sql(name, "share", "observations") for name in ("share_low", "share_high"))
    with psycopg.connect(embedded_home.warehouse_url) as connection:
        for _ in range(50):
            # places of one area, each with one of three areas that it lies in since
            counts = np.eye(3)[chance.integers(0, 3, 12)] * chance.poisson(8, (12, 1))
            places = counts.sum(axis=1)
            expected = shares_of_places(counts)
            observations = places.sum() ** 2 / (places**2).sum()
            for share, low, high in zip(expected.estimate, expected.low, expected.high, strict=True):
                found = connection.execute(
                    f"select {low_and_high} from"
                    " (values (%s::double precision, %s::double precision)) as told (share, observations)",
                    [float(share), float(observations)],
                ).fetchone()
                assert found is not None
                np.testing.assert_allclose(np.array(found, dtype=float), [low, high], rtol=1e-6, atol=1e-9)
