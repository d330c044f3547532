"""The alert ledger: one row a cause, and decisions that stay."""

from __future__ import annotations

import pytest
from saferkc.alerts import (
    AlertNotFoundError,
    acknowledge_alert,
    list_alerts,
    raise_alert,
    resolve,
    resolve_alert,
)
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect


def refuse(connection: Connection, name: str = "2017-04.zip", body: str = "It is cut short.") -> int:
    return raise_alert(
        connection,
        dedup_key=f"refused:{name}",
        group_key="refused",
        severity="act",
        audience="engineers",
        title=f"{name} was refused",
        body=body,
    )


def test_a_cause_seen_again_is_the_same_alert_with_the_latest_words(settings: Settings) -> None:
    with connect(settings) as connection:
        first = refuse(connection)
        assert refuse(connection, body="It is cut short again.") == first
        assert refuse(connection, name="2017-05.zip") != first
        one, other = sorted(list_alerts(connection), key=lambda alert: alert.alert_id)
    assert (one.times_seen, one.body) == (2, "It is cut short again.")
    assert one.last_seen_at >= one.first_seen_at
    assert other.times_seen == 1


def test_an_acknowledged_alert_stays_so_when_it_is_seen_again(settings: Settings) -> None:
    with connect(settings) as connection:
        alert_id = refuse(connection)
        acknowledge_alert(connection, alert_id, by="analyst", note="asked the agency")
        assert refuse(connection) == alert_id
        (alert,) = list_alerts(connection)
    assert (alert.state, alert.acknowledged_by, alert.note) == ("acknowledged", "analyst", "asked the agency")


def test_a_cause_that_comes_back_after_it_was_resolved_is_a_new_alert(settings: Settings) -> None:
    with connect(settings) as connection:
        first = refuse(connection)
        assert resolve(connection, "refused:2017-04.zip", note="a good file came")
        assert not resolve(connection, "refused:2017-04.zip", note="twice")
        assert list_alerts(connection) == []
        assert refuse(connection) != first
        assert [alert.state for alert in list_alerts(connection, include_closed=True)] == ["open", "resolved"]


def test_decisions_on_alerts_that_are_not_open_are_errors(settings: Settings) -> None:
    with connect(settings) as connection:
        alert_id = refuse(connection)
        resolve_alert(connection, alert_id, by="analyst", note="done")
        with pytest.raises(AlertNotFoundError, match=f"alert {alert_id} is not open"):
            acknowledge_alert(connection, alert_id, by="analyst")
        with pytest.raises(AlertNotFoundError):
            resolve_alert(connection, 999, by="analyst", note="")


def test_the_gravest_come_first(settings: Settings) -> None:
    with connect(settings) as connection:
        for severity in ("note", "held", "act"):
            raise_alert(
                connection,
                dedup_key=severity,
                group_key=None,
                severity=severity,  # type: ignore[arg-type]
                audience="engineers",
                title="t",
                body="b",
            )
        assert [alert.severity for alert in list_alerts(connection)] == ["held", "act", "note"]
