"""Metrics for engineers, sent by OTLP where a receiver is set: what the accounts say, and nothing kept beside them.

Every number is read from the ledger when it is sent. So counts never start anew with a process, a crash loses none,
and a dashboard shows what ``saferkc status`` shows. Their names are in ``docs/monitoring.md``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from saferkc.monitoring.deadline import deadline_tonight
from saferkc.monitoring.tasks import latest_task_runs
from saferkc.monitoring.tonight import feeds_tonight
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 5.0

Values = list[tuple[float, dict[str, str]]]


@dataclass(frozen=True)
class Metric:
    """A metric: its OpenTelemetry name, kind and unit, what it means, and the attributes that every value has."""

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    meaning: str
    attributes: tuple[str, ...] = ()

    @property
    def prometheus_name(self) -> str:
        """The name under which Prometheus keeps it: dots become underscores, a unit and ``total`` are added."""
        unit = {"s": "_seconds"}.get(self.unit, "")
        return self.name.replace(".", "_") + unit + ("_total" if self.kind == "counter" else "")


FEED_ROWS = Metric(
    "saferkc.feed.rows",
    "counter",
    "{row}",
    "Rows that came: in (= admitted + unchanged + quarantined), and refused beside them",
    ("feed", "fate"),
)
FEED_DELIVERIES = Metric(
    "saferkc.feed.deliveries", "counter", "{delivery}", "Documents that came, by what became of them", ("feed", "state")
)
FEED_WAITING = Metric("saferkc.feed.waiting", "gauge", "{document}", "Documents landed and not loaded yet", ("feed",))
FEED_LATE = Metric("saferkc.feed.late", "gauge", "", "1 where a feed was due and has not come", ("feed",))
FEED_LAG = Metric("saferkc.feed.lag", "gauge", "s", "Time since anything came for the feed", ("feed",))
TASK_DURATION = Metric(
    "saferkc.task.duration",
    "gauge",
    "s",
    "What the last run of a task took; builds' tasks have no feed",
    ("task", "feed"),
)
TASK_USUAL = Metric(
    "saferkc.task.usual_duration", "gauge", "s", "Median of the twenty runs before the last", ("task", "feed")
)
BUILDS = Metric("saferkc.builds", "counter", "{build}", "Builds of the marts, by how they ended", ("state",))
MARTS_AGE = Metric("saferkc.marts.age", "gauge", "s", "Time since marts were published last")
MARTS_MISSED = Metric(
    "saferkc.marts.deadline_missed", "gauge", "", "1 where what came by the marts' time is not published, after it"
)
ALERTS_OPEN = Metric(
    "saferkc.alerts.open", "gauge", "{alert}", "Open alerts, by severity and who they are for", ("severity", "audience")
)
METRICS = (
    FEED_ROWS,
    FEED_DELIVERIES,
    FEED_WAITING,
    FEED_LATE,
    FEED_LAG,
    TASK_DURATION,
    TASK_USUAL,
    BUILDS,
    MARTS_AGE,
    MARTS_MISSED,
    ALERTS_OPEN,
)

_ROWS = """
    select feed, sum(rows_in)::bigint as "in", sum(rows_admitted)::bigint as admitted,
        sum(rows_unchanged)::bigint as unchanged, sum(rows_quarantined)::bigint as quarantined,
        sum(rows_refused)::bigint as refused
    from quality.delivery group by feed
"""
_DELIVERIES = "select feed, state, count(*) as n from quality.delivery group by 1, 2"
_WAITING = """
    select feed, count(*) filter (where taken_at is null) as n from quality.arrival group by feed
"""
_BUILDS = "select state, count(*) as n from quality.build group by 1"
# an alert of each kind that there has been, so that a count falls to 0 and does not vanish
_ALERTS = """
    select severity, audience, count(*) filter (where state in ('open', 'acknowledged')) as n
    from quality.alert group by 1, 2
"""


def read_metrics(settings: Settings, connection: Connection, now: datetime | None = None) -> dict[Metric, Values]:
    """Return every metric's values at ``now``, each with its attributes."""
    now = now or datetime.now(UTC)
    feeds = [feed for feed in feeds_tonight(settings, connection, now) if feed.last_arrived_at is not None]
    runs = latest_task_runs(connection)
    deadline = deadline_tonight(settings, connection, now)
    lags = [(feed.feed, now - feed.last_arrived_at) for feed in feeds if feed.last_arrived_at is not None]
    age = None if deadline.published_at is None else (now - deadline.published_at).total_seconds()
    return {
        FEED_ROWS: [
            (float(count), {"feed": str(row["feed"]), "fate": fate})
            for row in fetch_all(connection, _ROWS)
            for fate, count in row.items()
            if fate != "feed"
        ],
        FEED_DELIVERIES: _counted(connection, _DELIVERIES),
        FEED_WAITING: _counted(connection, _WAITING),
        FEED_LATE: [(float(feed.state == "late"), {"feed": feed.feed}) for feed in feeds],
        FEED_LAG: [(lag.total_seconds(), {"feed": feed}) for feed, lag in lags],
        TASK_DURATION: [(run.seconds, {"task": run.task, "feed": run.feed or ""}) for run in runs],
        TASK_USUAL: [
            (run.usual_seconds, {"task": run.task, "feed": run.feed or ""})
            for run in runs
            if run.usual_seconds is not None
        ],
        BUILDS: _counted(connection, _BUILDS),
        MARTS_AGE: [] if age is None else [(age, {})],
        MARTS_MISSED: [(float(deadline.state == "missed"), {})],
        ALERTS_OPEN: _counted(connection, _ALERTS),
    }


def send_metrics(settings: Settings, now: datetime | None = None) -> bool:
    """Send all metrics to the receiver that is set, once; returns whether it took them.

    A receiver that does not answer is noted in the log and keeps nothing from going on.
    """
    if settings.otlp_endpoint is None:
        return False
    with connect(settings) as connection:
        connection.read_only = True
        values = read_metrics(settings, connection, now)
    # half a second of imports, for those alone that have a receiver
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    home = hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]
    reader = InMemoryMetricReader()
    provider = MeterProvider(
        [reader], Resource({"service.name": "saferkc", "service.instance.id": home}), shutdown_on_exit=False
    )
    meter = provider.get_meter("saferkc")
    for metric, found in values.items():
        make = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
        make(metric.name, [_told(found)], unit=metric.unit, description=metric.meaning)
    data = reader.get_metrics_data()
    provider.shutdown()
    exporter = OTLPMetricExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/metrics", timeout=_TIMEOUT_SECONDS)
    taken = data is not None and exporter.export(data) is MetricExportResult.SUCCESS
    exporter.shutdown()
    if not taken:
        log.warning("the receiver of metrics at %s did not take them", settings.otlp_endpoint)
    return taken


def _told(values: Values) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation  # noqa: PLC0415

    return lambda _: [Observation(value, attributes) for value, attributes in values]


def _counted(connection: Connection, query: str) -> Values:
    return [(float(row["n"]), _attributes(row)) for row in fetch_all(connection, query)]


def _attributes(row: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items() if name != "n"}
