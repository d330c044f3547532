"""The page of each DAG: what it is for, when data come, why it may be run again, how to replay."""

from __future__ import annotations

from saferkc.contracts import Contract

_INGEST = """\
### {name}

{purpose}

**When.** {usage} Due: {due}. The DAG looks every time its schedule (`{schedule}`, Europe/London) comes round;
a run that finds nothing ends at once.

**Steps.** *land* fetches what is new at the agency, where the connection `saferkc_{source}` says how
(`docs/runbook/connections.md`), and copies what lies in `inbox/{source}/` byte for byte into landing; *load* judges
each delivery against its contract and takes it into `raw.{feed}`, a transaction a delivery; *check* asks Great
Expectations about what was admitted and tells the `warehouse` DAG that there is something to build.

**Why it is safe to run again.** What was fetched is remembered, and a fetch that broke off goes on where it was.
Landing knows a file by its SHA-256, so the same bytes are one delivery. A delivery is taken in whole or not at all;
a row that is known already adds nothing. A run that was cut off leaves its arrivals waiting, and the next run takes
them.

**To replay** deliveries of past months: trigger this DAG with `date_from` and `date_to`, or
`saferkc backfill --feed {feed} --from 2016-01-01 --to 2016-12-31`. Landed files that cover those days are judged again;
nothing has to be sent twice.

**If a delivery is refused** the run still succeeds: `saferkc alerts` says why and what to ask the agency
({owner}) for. **Beware:** {limitations}
"""

WAREHOUSE = """\
### Build, audit and publish the marts

Takes what the ingest DAGs admitted since the last published build into the stars and marts.

**When.** After any feed has admitted something, and every morning in any case. *begin* waits until no ingest run
is under way, and ends the run at once when nothing changed since the last published build.

**Steps.** *begin* opens a build; *watch* looks in raw for changes in how things are counted, in the feeds that
something new came for, and keeps what it finds in `quality.recording_change`; *dbt* builds beside the published marts,
in the `build_*` schemas (one dbt process, a task a model to look at); *audit* judges dbt's tests, the expectations on
the marts and those on counting; *publish* brings all marts to the new build in one transaction; *data_docs* writes the
pages with the checks' results; *send* sends the messages that wait, whatever became of the build. Where *watch* fails,
the build goes on and the audit warns that the look is missing.

**Why it is safe to run again.** Readers see the published schemas only, which change in one transaction or not
at all. A run that was cut off leaves a build that is never published; the next run starts another.

**If the audit holds a build** this run fails, the last good marts stay, and `saferkc alerts` says which checks failed
and what to do. After mending, run `saferkc nightly` again. A fault that *watch* found in the data holds it as well,
until the data are mended or the fault is rejected (`docs/runbook/a-data-fault-holds-the-build.md`).

**To build everything anew** trigger this DAG with `full_refresh`.
"""

PERFORMANCE_PACK = """\
### Make the monthly performance pack for the Board

Writes the report of a month as HTML and PDF into `packs/` of the home: every priority's figures against the year
before, charts with gaps at breaks, the plan's figures, and what was not known by then. It reads published marts only,
and all figures go through the disclosure gate (`expectations/disclosure.yaml`).

**When.** On the 10th of each month at 8 in the morning, when the nightly has long published the month before. It takes
the build that is published then, and the newest whole month that it holds.

**Why it is safe to run again.** Nothing in the warehouse is changed, and the same build and month give the same pack
but for the day on which it was made; the files are replaced.

**To replay**, or for another month, trigger this DAG with `month`, or `saferkc pack --month 2017-12`.
"""

ALERTS = """\
### Send the messages that wait

Tells people what the alert ledger holds for them: engineers and the community safety team, and agencies that they ask.

**When.** Every hour, Europe/London; besides, the task *send* ends every run of `warehouse`. What holds a build or
touches figures due for publication goes at once, the engineers' summary after 07:00, the team's digest on Mondays.

**Steps.** *send* queues the summaries that are due in `quality.outbox`, and sends what waits there, in order: as mail,
to the other channels that are set, or as files into `outbox/` where none is set.

**Why it is safe to run again.** A message stands in the outbox until it was taken. A run that was cut off sends a
message a second time at most, under the same `Message-ID`. Two runs at once never have the same message. There is
nothing to replay: what waits, waits for the next run.

**If messages wait** `saferkc doctor` says how many and why (`docs/runbook/messages-wait.md`).
"""


MONITORING = """\
### Look whether all went as it should

Tells the engineers of what should have happened and has not: a feed that was due and has not come, marts that are not
published by their time.

**When.** Every half hour, ten minutes after feeds are due and after the marts' time (06:00, or `SAFERKC_MARTS_BY`).

**Steps.** *look* reads the accounts in `quality`, by the calendars of the contracts; enters and closes alerts; and
sends the metrics, where a receiver is set (`docs/monitoring.md`).

**Why it is safe to run again.** It reads; an alert is entered once a night, and closes by itself when the feed comes
or the marts are published.
"""


def ingest_page(contract: Contract) -> str:
    """Return the page (Markdown) of a feed's DAG."""
    return _INGEST.format(
        name=contract.name,
        purpose=contract.description.purpose.strip(),
        usage=contract.description.usage.strip(),
        limitations=contract.description.limitations.strip(),
        due=contract.operation.due.strip().rstrip("."),
        schedule=contract.operation.schedule,
        source=contract.delivery.source,
        feed=contract.feed,
        owner=contract.team.name,
    )
