"""Every rule of the models that has a definition, on rows made for it: dbt's unit tests."""

from __future__ import annotations

from marts_helpers import begin_build, run_dbt
from publishing_helpers import deliver
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect


def test_every_rule_of_the_models_holds(settings: Settings) -> None:
    """The only run of the unit tests: a night leaves them out, since they are not about its data."""
    with connect(settings) as connection:
        deliver(connection)
    _, _ = begin_build(settings)
    # they need the tables that they stand in for; these hold no rows
    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    assert run_dbt(settings, *without_tests, full_refresh=True) == []
    assert run_dbt(settings, "--select", "test_type:unit", verb="test") == []
