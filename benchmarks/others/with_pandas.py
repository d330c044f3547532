"""pandas ``to_sql`` as its manual shows it: read a file, append it to a table.

Usage: with_pandas.py FILE...; DATABASE_URL says where to, BENCHMARK_REPORT names the file for rows and seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pandas as pd
import sqlalchemy


def main(files: list[str]) -> None:
    """Append the files to the table ``street`` and report."""
    started = time.perf_counter()
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = sqlalchemy.create_engine(url)
    rows = 0
    for file in files:
        frame = pd.read_csv(file)
        frame.to_sql("street", engine, if_exists="append", index=False, chunksize=10_000)
        rows += len(frame)
    report = {"rows": rows, "load": time.perf_counter() - started}
    Path(os.environ["BENCHMARK_REPORT"]).write_text(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
