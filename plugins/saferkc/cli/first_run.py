"""``saferkc run``, which ``make run`` calls: everything once, on simulated deliveries where none are real."""

from __future__ import annotations

from datetime import date, datetime

from saferkc.cli.console import progress
from saferkc.cli.tell import night, where_to_look
from saferkc.orchestration import lifecycle
from saferkc.orchestration.night import run_night
from saferkc.settings import Settings
from saferkc.simulation import simulate_all
from saferkc.warehouse.connection import connect

# the months around the change in how burglary is counted (April 2017), with a year before to compare with
_FROM, _TO = date(2016, 1, 1), date(2017, 12, 31)
_NIGHTS = 3


def first_run(settings: Settings) -> int:
    """Bring all up and leave it up, deliver, run a night, and return its exit status."""
    before = datetime.now().astimezone()
    with progress() as shown:
        lifecycle.up(settings, shown.step)
        if not _has_real_deliveries(settings):
            shown.step("Simulated agencies deliver")
            # the partners' history in one delivery, then the last nights one by one
            simulate_all(settings, date_from=_FROM, date_to=_TO, only_new=True, nights=_NIGHTS)
        done = run_night(settings, shown.state, day=before.date())
    status = night(settings, done, since=before)
    where_to_look(settings)
    return status


def _has_real_deliveries(settings: Settings) -> bool:
    """Tell whether anything came that is not simulated; real and simulated figures are not to be mixed."""
    waiting = (path for path in settings.inbox.rglob("*") if path.is_file())
    if any("simulated" not in path.name for path in waiting):
        return True
    with connect(settings) as connection:
        row = connection.execute("select exists (select from quality.delivery where not is_simulated)").fetchone()
    return bool(row and row[0])
