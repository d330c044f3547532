"""A feed that has not delivered for twice its time is told of; one that came in time, or never, is not."""

from __future__ import annotations

from marts_helpers import query, run_dbt
from publishing_helpers import deliver, start_build
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect


def test_a_late_feed_is_told_of(settings: Settings) -> None:
    with connect(settings) as connection:
        start_build(connection)
        deliver(connection, "tmo_asb_cases", received_at="2017-05-01")
        deliver(connection, "police_victims", received_at="2017-05-01")
        deliver(connection, "police_victims", received_at="now", state="duplicate")
        # monthly: 62 days
        deliver(
            connection, "mps_recorded_crime", received_at=query(settings, "select now() - interval '60 days'")[0][0]
        )
        deliver(connection, "rahab_clients", received_at=query(settings, "select now() - interval '63 days'")[0][0])
    results = run_dbt(settings, "--select", "test_name:arrives_in_time")
    told = {result["name"].split(".")[2].rsplit("__", 1)[-1]: result["status"] for result in results}
    assert told == {"tmo_asb_cases": "warn", "rahab_clients": "warn"}
