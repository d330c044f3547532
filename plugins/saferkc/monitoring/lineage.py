"""Lineage in OpenLineage's words: which deliveries made which raw table, and which tables made which mart.

Of what OpenLineage could carry only structure goes out: names of tables and columns, types, counts and the outcome of
checks. Text of statements and of errors stays here, since a value might stand in it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from saferkc.settings import Settings

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent

log = logging.getLogger(__name__)

# reserved (RFC 2606): it names who tells, and is no address
_PRODUCER = "https://saferkc.invalid/warehouse"
_NAMESPACE = "saferkc"
# facets that hold structure and no text of our data, statements or errors
_KEPT = {
    "jobType", "parent", "processing_engine", "dbt_version", "schema", "dataSource", "columnLineage",
    "outputStatistics", "dataQualityAssertions",
}  # fmt: skip


def tell_of_load(settings: Settings, feed: str, source: str, rows: int) -> None:
    """Tell that documents of an agency were taken into a feed's raw table, ``rows`` rows of them."""
    if settings.lineage == "off":
        return
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState  # noqa: PLC0415
    from openlineage.client.facet_v2 import output_statistics_output_dataset  # noqa: PLC0415
    from openlineage.client.uuid import generate_new_uuid  # noqa: PLC0415

    url = urlsplit(settings.warehouse_url)
    counted = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    _emit(
        settings,
        [
            RunEvent(
                eventType=RunState.COMPLETE,
                eventTime=datetime.now(UTC).isoformat(),
                run=Run(str(generate_new_uuid())),
                job=Job(_NAMESPACE, f"ingest_{feed}.load"),
                inputs=[InputDataset(f"{_NAMESPACE}://{source}", feed)],
                outputs=[
                    OutputDataset(
                        # named as dbt's lineage names it, so that the two meet
                        f"postgres://{url.hostname}:{url.port or 5432}",
                        f"{url.path.lstrip('/')}.raw.{feed}",
                        outputFacets={"outputStatistics": counted},
                    )
                ],
                producer=_PRODUCER,
            )
        ],
    )


def tell_of_build(settings: Settings, project_dir: Path) -> None:
    """Tell what dbt built of what, from the manifest and the results under ``project_dir``/target."""
    if settings.lineage == "off":
        return
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor  # noqa: PLC0415

    try:
        processor = DbtLocalArtifactProcessor(
            producer=_PRODUCER,
            job_namespace=_NAMESPACE,
            project_dir=str(project_dir),
            profile_name="saferkc",
            target="warehouse",
        )
        # `dbt build` is among those that it knows
        processor.should_raise_on_unsupported_command = False
        found = processor.parse()
    except Exception as error:  # lineage is an extra: whatever it stumbles over, the night goes on
        log.warning("the build's lineage could not be told: %s", type(error).__name__)
        return
    _emit(settings, [*found.starts, *found.completes, *found.fails])


def _emit(settings: Settings, events: Iterable[RunEvent]) -> None:
    try:
        client = _client(settings)
        for event in events:
            client.emit(_structure_of(event))
    except Exception as error:  # as above
        log.warning("lineage could not be sent: %s", type(error).__name__)


def _client(settings: Settings) -> OpenLineageClient:
    from openlineage.client import OpenLineageClient  # noqa: PLC0415
    from openlineage.client.transport.file import FileConfig, FileTransport  # noqa: PLC0415
    from openlineage.client.transport.http import HttpConfig, HttpTransport  # noqa: PLC0415

    if settings.lineage != "file":
        return OpenLineageClient(transport=HttpTransport(HttpConfig.from_dict({"url": settings.lineage})))
    file = settings.home / "lineage" / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    return OpenLineageClient(transport=FileTransport(FileConfig(log_file_path=os.fspath(file), append=True)))


def _structure_of(event: RunEvent) -> RunEvent:
    """Take every facet out of an event that may hold text."""
    for holder in (event.run, event.job, *(event.inputs or []), *(event.outputs or [])):
        for name in ("facets", "inputFacets", "outputFacets"):
            facets = getattr(holder, name, None)
            if facets:
                setattr(holder, name, {key: facet for key, facet in facets.items() if key in _KEPT})
    return event
