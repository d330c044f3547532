"""Bring a home's services up and down, in the order that they need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saferkc.contracts import load_contracts
from saferkc.orchestration import airflow
from saferkc.settings import Settings, SettingsError
from saferkc.warehouse import embedded

Progress = Callable[[str], None]


def up(settings: Settings, progress: Progress) -> bool:
    """Start PostgreSQL and Airflow and bring the warehouse's schema up to date.

    Returns False when all was up already. ``progress`` is told each step in a few words.
    """
    started = up_database(settings, progress)
    if started:
        # what outlived its database may hang, or end a moment later
        airflow.stop(settings)
    return airflow.start(settings, progress) or started


def up_database(settings: Settings, progress: Progress) -> bool:
    """Start PostgreSQL alone, make the inbox's folders and bring the warehouse's schema up to date."""
    if not embedded.is_running(settings):
        progress("Starting PostgreSQL")
    started = embedded.start(settings)
    for contract in load_contracts(settings.contracts_dir).values():
        (settings.inbox / contract.delivery.source).mkdir(parents=True, exist_ok=True)
    # SQLAlchemy and Alembic take a while to import
    from saferkc.warehouse.migrate import migrate  # noqa: PLC0415

    migrate(settings)
    return started


def down(settings: Settings, progress: Progress) -> bool:
    """Stop everything that was started for this home, leftovers of a crash included."""
    progress("Stopping Airflow")
    had_airflow = airflow.stop(settings)
    progress("Stopping PostgreSQL")
    return embedded.stop(settings) or had_airflow


@contextmanager
def brought_up(settings: Settings, progress: Progress) -> Iterator[None]:
    """Have everything up for a while, and leave the services as they were found."""
    # after a crash a part may be missing: what is left of Airflow says that it was up, its database included
    had_airflow = bool(airflow.running_components(settings))
    had_database = embedded.is_running(settings) or had_airflow
    try:
        up(settings, progress)
        yield
    finally:
        if not had_airflow:
            progress("Stopping Airflow")
            airflow.stop(settings)
        if not had_database:
            embedded.stop(settings)


@contextmanager
def database_up(settings: Settings) -> Iterator[None]:
    """Have the warehouse up for a question, and leave it as it was found."""
    if settings.external_warehouse_url is not None:
        yield
        return
    with airflow_database_up(settings):
        yield


@contextmanager
def airflow_database_up(settings: Settings) -> Iterator[None]:
    """Have Airflow's database up, which is always in the embedded server, and leave it as it was found."""
    if embedded.is_running(settings):
        yield
        return
    if not embedded.exists(settings):
        raise SettingsError(f"{settings.home} was never started: run `saferkc up` (or `make run`) first")
    embedded.start(settings)
    try:
        yield
    finally:
        embedded.stop(settings)
