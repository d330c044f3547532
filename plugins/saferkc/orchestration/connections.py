"""The connections ``saferkc_…`` of a home: which sources are fetched, and whether each connection works.

Run as a program (``python -m saferkc.orchestration.connections``, in the environment of the home's Airflow) it tries
every connection and writes what to mend, as JSON: Airflow alone can read a connection's secrets, and takes seconds
to import, which the command line must not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from saferkc.landing.transports import is_transport, source_of
from saferkc.orchestration.client import AirflowClient
from saferkc.orchestration.environment import CONNECTION_VARIABLE, airflow_environment
from saferkc.settings import Settings


def connected_sources(client: AirflowClient) -> set[str]:
    """Return the sources whose files are fetched; theirs may have something new although the inbox is empty."""
    kinds = client.connections("saferkc_") | _of_variables(os.environ)
    return {source for name, kind in kinds.items() if is_transport(kind) and (source := source_of(name))}


def faulty_connections(settings: Settings) -> dict[str, str]:
    """Try every connection of the home and return what to mend, by name. The database must be up."""
    ran = subprocess.run(
        [sys.executable, "-m", "saferkc.orchestration.connections"],
        # tasks ask Airflow's API server for connections; here Airflow's own database is asked
        env=airflow_environment(settings) | {"_AIRFLOW_PROCESS_CONTEXT": "server"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode or not ran.stdout:
        # of an error only its kind: its words may hold a secret
        told = ran.stderr.strip().splitlines()[-1:]
        return {"Airflow": f"its connections can't be read: {told[0].split(':')[0] if told else 'nothing was said'}"}
    found: dict[str, str] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _of_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return name and type of the connections that are set by variables."""
    kinds = {}
    for variable, value in environment.items():
        if variable.startswith(CONNECTION_VARIABLE):
            name = variable.removeprefix("AIRFLOW_CONN_").lower()
            try:
                kind = json.loads(value)["conn_type"] if value.lstrip().startswith("{") else urlsplit(value).scheme
            except (ValueError, KeyError):
                kind = ""
            kinds[name] = str(kind)
    return kinds


def main() -> None:
    """Try every connection and write, as one line of JSON, what to mend by name."""
    from airflow.models import Connection  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415

    from saferkc.landing.fetch import check  # noqa: PLC0415
    from saferkc.landing.transports import FetchError, endpoint_of  # noqa: PLC0415

    settings = Settings.load()
    with create_session() as session:
        stored = session.query(Connection.conn_id, Connection.conn_type).all()
    kinds = {str(name): str(kind) for name, kind in stored} | _of_variables(os.environ)
    faults = {}
    for name, kind in sorted(kinds.items()):
        source = source_of(name)
        # a connection of another type holds a password or key that a document needs
        if source is None or not is_transport(kind):
            continue
        try:
            endpoint = endpoint_of(source)
            if endpoint is not None:
                check(settings, endpoint, source)
        except FetchError as error:
            faults[name] = str(error)
        except Exception as error:  # whatever a library makes of it; its words may hold a secret
            faults[name] = f"connection {name}: it can't be tried: {type(error).__name__}"
    print(json.dumps(faults))


if __name__ == "__main__":
    main()
