"""Metrics go to a real receiver as the accounts have them, and the example dashboard asks for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from loopback import serving
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from publishing_helpers import deliver
from saferkc.alerts import raise_alert
from saferkc.contracts.calendar import LONDON
from saferkc.monitoring import keep_task_run, look
from saferkc.monitoring.metrics import METRICS, read_metrics, send_metrics
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

NOW = datetime(2026, 11, 27, 6, 10, tzinfo=LONDON)
Points = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextmanager
def receiver() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """A receiver of OTLP over HTTP on loopback, and what it was sent."""
    received: list[ExportMetricsServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/metrics"
            received.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}", received


def points(request: ExportMetricsServiceRequest) -> Points:
    """Each value that was sent, by its metric's name and attributes."""
    found: Points = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points:
            attributes = tuple(sorted((one.key, one.value.string_value) for one in point.attributes))
            found[metric.name, attributes] = point.as_double
        if kind == "sum":
            assert metric.sum.is_monotonic
    return found


@pytest.fixture
def busy(settings: Settings) -> Settings:
    """A warehouse with something to say in every metric."""
    with connect(settings) as connection:
        for day in (25, 26):
            counts = {"rows_admitted": 6, "rows_unchanged": 3, "rows_quarantined": 1}
            deliver(connection, "tmo_asb_cases", 10, received_at=NOW.replace(day=day, hour=4), **counts)
        refused = {"state": "refused", "reason": "cut off", "rows_admitted": 0, "rows_in": 0, "rows_refused": 7}
        deliver(connection, "tmo_asb_cases", received_at=NOW - timedelta(days=1), **refused)
        connection.execute(
            "insert into quality.build (state, finished_at) values ('published', %s), ('held', null)",
            [NOW - timedelta(hours=2)],
        )
        connection.execute(
            "insert into quality.landed_file (sha256, bytes, first_name) values (repeat('0', 64), 1, 'a')"
        )
        connection.execute(
            "insert into quality.arrival (feed, source_name, landed_sha256, received_at)"
            " values ('council_enforcement_actions', 'a', repeat('0', 64), %s)",
            [NOW - timedelta(hours=1)],
        )
        raise_alert(
            connection,
            dedup_key="a",
            group_key=None,
            severity="act",
            audience="engineers",
            title="Jane Doe",
            body="Jane Doe",
        )
    for seconds in (10, 20):
        keep_task_run(settings, "load", seconds, "tmo_asb_cases")
        keep_task_run(settings, "publish", seconds, build_id=1)
    return settings


def test_a_receiver_gets_what_the_accounts_say(busy: Settings) -> None:
    with receiver() as (address, received):
        told = replace(busy, otlp_endpoint=address)
        look(told, NOW)
    (request,) = received
    assert b"Jane" not in request.SerializeToString()
    found = points(request)

    def value(name: str, **attributes: str) -> float:
        return found[name, tuple(sorted(attributes.items()))]

    fates = ("in", "admitted", "unchanged", "quarantined", "refused")
    assert [value("saferkc.feed.rows", feed="tmo_asb_cases", fate=fate) for fate in fates] == [20, 12, 6, 2, 7]
    assert value("saferkc.feed.deliveries", feed="tmo_asb_cases", state="refused") == 1
    assert value("saferkc.feed.late", feed="tmo_asb_cases") == 1
    assert value("saferkc.feed.lag", feed="tmo_asb_cases") == 24 * 3600
    assert value("saferkc.feed.waiting", feed="council_enforcement_actions") == 1
    assert value("saferkc.task.duration", task="load", feed="tmo_asb_cases") == pytest.approx(20)
    assert value("saferkc.task.usual_duration", task="publish", feed="") == pytest.approx(10)
    assert value("saferkc.builds", state="held") == 1
    assert value("saferkc.marts.age") == 7200
    assert value("saferkc.marts.deadline_missed") == 1
    # one was open, and the look has just told of a late feed and of the marts
    assert value("saferkc.alerts.open", severity="act", audience="engineers") == 3
    instance = {one.key: one.value.string_value for one in request.resource_metrics[0].resource.attributes}
    assert instance["service.name"] == "saferkc"


def test_nothing_is_sent_unless_a_receiver_is_set_and_one_that_is_gone_stops_nothing(settings: Settings) -> None:
    assert settings.otlp_endpoint is None
    assert not send_metrics(settings)
    with receiver() as (address, received):
        pass
    assert not send_metrics(replace(settings, otlp_endpoint=address))
    assert received == []


def test_the_dashboard_asks_for_metrics_and_labels_that_are_sent(busy: Settings) -> None:
    with connect(busy) as connection:
        values = read_metrics(busy, connection, NOW)
    assert set(values) == set(METRICS)
    for metric, found in values.items():
        assert found, metric.name
        assert all(set(attributes) == set(metric.attributes) for _, attributes in found), metric.name
    known = {metric.prometheus_name: metric for metric in METRICS}
    page = (busy.project_root / "docs" / "monitoring.md").read_text()
    dashboard = json.loads((busy.project_root / "docs" / "monitoring" / "nights.grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = set()
    for query in queries:
        metrics = [known[name] for name in re.findall(r"\bsaferkc_\w+", query)]
        assert metrics, query
        asked |= set(metrics)
        labels = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', query))
        labels |= {name for names in re.findall(r"\bby \(([^)]*)\)", query) for name in re.split(r",\s*", names)}
        assert labels <= set.intersection(*(set(metric.attributes) for metric in metrics)), query
    assert asked == set(METRICS)
    for metric in METRICS:
        assert f"`{metric.name}`" in page and f"`{metric.prometheus_name}`" in page, metric.name
        assert all(f"`{name}`" in page for name in metric.attributes), metric.name
