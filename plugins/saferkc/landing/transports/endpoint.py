"""Where a source's files come from: the Airflow connection ``saferkc_<source>``, read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from saferkc.landing.transports.errors import FetchError

PREFIX = "saferkc_"
KINDS = ("fs", "http", "sftp")


class _AirflowConnection(Protocol):
    """What we read of a connection, whichever of Airflow's classes it is."""

    conn_id: str
    conn_type: str | None
    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    password: str | None
    extra: str | None


@dataclass(frozen=True)
class Endpoint:
    """A connection as a transport needs it. Its secrets stay out of ``repr``, and so out of tracebacks and logs."""

    name: str
    kind: str
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, connection: _AirflowConnection) -> Endpoint:
        """Read an Airflow connection; raises ``FetchError`` where its extra is no JSON object."""
        extra: object = {}
        if connection.extra:
            try:
                extra = json.loads(connection.extra)
            except ValueError:
                extra = None
        if not isinstance(extra, dict):
            raise FetchError(f"the extra of connection {connection.conn_id} is no JSON object; write it as {{…}}")
        return cls(
            name=connection.conn_id,
            kind=connection.conn_type or "",
            host=connection.host or None,
            port=connection.port,
            schema=connection.schema or None,
            login=connection.login or None,
            password=connection.password or None,
            extra=extra,
        )


class Options(BaseModel):
    """What a transport reads from a connection's extra. A misspelt name is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


_O = TypeVar("_O", bound=Options)


def options_of(endpoint: Endpoint, model: type[_O], also_known: Mapping[str, object] | None = None) -> _O:
    """Read the extra of a connection as ``model``; raises ``FetchError`` that names each fault and no value.

    ``also_known``: names that Airflow's own form writes and that we don't need, with the value they may have.
    """
    given = {name: value for name, value in endpoint.extra.items() if value not in (None, "")}
    for name, harmless in (also_known or {}).items():
        if str(given.pop(name, harmless)).lower() != str(harmless).lower():
            raise FetchError(f"connection {endpoint.name}: `{name}` of its extra can't be changed; take it out")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors(include_input=False))
        known = ", ".join(sorted(model.model_fields))
        raise FetchError(f"connection {endpoint.name}: its extra is wrong: {faults}. Known are {known}") from None


def endpoint_of(source: str) -> Endpoint | None:
    """Return the connection of a source, or None where none is set: its files are then put into the inbox.

    Raises ``FetchError`` where the connection is there and is not of a kind that we know.
    """
    from airflow.sdk import Connection  # noqa: PLC0415  (Airflow only where a fetch is made)
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415

    try:
        endpoint = Endpoint.of(Connection.get(f"{PREFIX}{source}"))
    except AirflowNotFoundException:
        return None
    if not is_transport(endpoint.kind):
        known = ", ".join(KINDS)
        raise FetchError(f"connection {endpoint.name} is of type {endpoint.kind or '(none)'}; the types are {known}")
    return endpoint


def source_of(name: str) -> str | None:
    """Return the source that a connection of this name is for, or None where it is none of ours."""
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else None


def is_transport(kind: str) -> bool:
    """Whether a connection of this type brings files (and not, say, a password that a document needs)."""
    return kind in KINDS
