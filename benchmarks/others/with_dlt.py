"""dlt by its fastest way that parses: pyarrow reads, dlt writes CSV and copies it.

Usage: with_dlt.py FILE...; DATABASE_URL says where to, BENCHMARK_REPORT names the file for rows and seconds,
BENCHMARK_SCRATCH a folder for dlt's own files.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow as pa
from pyarrow import csv

NUMBERS = ("Longitude", "Latitude")


def tables(files: list[str]) -> Iterator[pa.Table]:
    """Yield the files in blocks, coordinates as numbers and all else as text."""
    for file in files:
        headings = csv.open_csv(file).schema.names
        types = {name: pa.float64() if name in NUMBERS else pa.string() for name in headings}
        options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
        for batch in csv.open_csv(file, convert_options=options):
            yield pa.Table.from_batches([batch])


def main(files: list[str]) -> None:
    """Load the files into ``benchmark.street`` and report."""
    started = time.perf_counter()
    pipeline = dlt.pipeline(
        "benchmark",
        destination=dlt.destinations.postgres(credentials=os.environ["DATABASE_URL"]),
        dataset_name="benchmark",
        pipelines_dir=os.environ["BENCHMARK_SCRATCH"],
    )
    pipeline.run(tables(files), table_name="street", loader_file_format="csv").raise_on_failed_jobs()
    report = {"load": time.perf_counter() - started}
    Path(os.environ["BENCHMARK_REPORT"]).write_text(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
