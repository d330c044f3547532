"""Bringing a source's files into the inbox by the transport that its connection names."""

from __future__ import annotations

import logging
from datetime import datetime

from saferkc.alerts import raise_alert, resolve
from saferkc.contracts import Contract, load_contracts
from saferkc.landing.inbox import receive
from saferkc.landing.transports import Endpoint, FetchError, endpoint_of
from saferkc.landing.transports.memory import Attempt, Memory, now, remembering
from saferkc.monitoring import timed
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

log = logging.getLogger(__name__)


@timed("land")
def bring_in(settings: Settings, feed: str, *, asked_at: datetime | None = None, is_last_try: bool = True) -> list[int]:
    """Fetch what the feed's source offers, land the inbox, and return the arrivals that are not done with.

    A fetch that fails never holds up what lies in the inbox already. A passing fault is raised, for another try,
    unless this is the last; one that stays is entered in the alert ledger, and raised where nothing else has
    arrived. The alert closes when a fetch goes well.
    """
    contract = load_contracts(settings.contracts_dir)[feed]
    scope, fault, endpoint = contract.delivery.source, None, None
    try:
        endpoint = endpoint_of(contract.delivery.source)
        if endpoint is not None:
            scope = _scope(contract, endpoint)
            fetch(settings, feed, endpoint, asked_at=asked_at)
    except FetchError as error:
        fault = error
    arrivals = receive(settings, feed)
    if fault is None:
        if endpoint is not None:
            with connect(settings) as connection:
                resolve(connection, f"fetch:{scope}", note="fetched again")
        return arrivals
    if fault.is_passing and not is_last_try:
        raise fault
    log.error("%s", fault)
    with connect(settings) as connection:
        raise_alert(
            connection,
            dedup_key=f"fetch:{scope}",
            group_key=f"fetch:{scope}",
            severity="act",
            audience="engineers",
            title=f"{scope}: nothing could be fetched",
            body=f"{fault}. What was put into the inbox by hand is taken in all the same. `saferkc doctor` tells"
            " whether the connection is mended.",
        )
    if not arrivals:
        raise fault
    return arrivals


def fetch(settings: Settings, feed: str, endpoint: Endpoint, *, asked_at: datetime | None = None) -> list[str]:
    """Bring what is new at the feed's agency into the inbox; return the names. Raises ``FetchError``.

    Feeds of one source share a fetch: where one was begun after ``asked_at`` its outcome stands for this one too,
    so that an agency sees one visit a night and a wrong password is not tried five times.
    """
    contract = load_contracts(settings.contracts_dir)[feed]
    scope = _scope(contract, endpoint)
    with remembering(settings, contract.delivery.source) as memory:
        earlier = memory.last_attempt(scope)
        if earlier is not None and asked_at is not None and earlier.began_at >= asked_at:
            if earlier.fault is not None:
                raise FetchError(earlier.fault, is_passing=earlier.is_passing)
            return []
        began_at = now()
        try:
            memory.recover()
            names = _fetch(contract, endpoint, memory)
        except FetchError as error:
            memory.note_attempt(scope, Attempt(began_at, str(error), error.is_passing))
            raise
        memory.note_attempt(scope, Attempt(began_at, None, is_passing=False))
    return names


def check(settings: Settings, endpoint: Endpoint, source: str) -> None:
    """Raise ``FetchError`` where nothing could be fetched over a connection; says what to mend, takes nothing."""
    feeds = [c.feed for c in load_contracts(settings.contracts_dir).values() if c.delivery.source == source]
    if not feeds:
        raise FetchError(f"connection {endpoint.name}: no contract has the source {source}; mend the connection's name")
    # each transport brings a library of its own, and a night needs one of them or none
    if endpoint.kind == "sftp":
        from saferkc.landing.transports.sftp import check_sftp  # noqa: PLC0415

        check_sftp(endpoint)
    elif endpoint.kind == "http":
        from saferkc.landing.transports.pages import check_pages  # noqa: PLC0415

        for feed in feeds:
            check_pages(feed, endpoint)
    else:
        from saferkc.landing.transports.folder import check_folder  # noqa: PLC0415

        check_folder(endpoint)


def _scope(contract: Contract, endpoint: Endpoint) -> str:
    """What one fetch brings: a feed of an API, or all that lies in a folder, for whichever feeds."""
    return contract.feed if endpoint.kind == "http" else contract.delivery.source


def _fetch(contract: Contract, endpoint: Endpoint, memory: Memory) -> list[str]:
    if endpoint.kind == "sftp":
        from saferkc.landing.transports.sftp import fetch_sftp  # noqa: PLC0415

        return fetch_sftp(endpoint, memory)
    if endpoint.kind == "http":
        from saferkc.landing.transports.pages import fetch_pages  # noqa: PLC0415

        return fetch_pages(contract, endpoint, memory)
    from saferkc.landing.transports.folder import fetch_folder  # noqa: PLC0415

    return fetch_folder(endpoint, memory)
