"""The commands, as ``docs`` and scripts know them: names, options and exit statuses stay as they are."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from saferkc.cli.console import progress, say
from saferkc.settings import Settings

app = typer.Typer(
    help="The Safer K&C data warehouse: from agencies' deliveries to published marts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
alerts_app = typer.Typer(help="Read the alert ledger and take decisions.", rich_markup_mode=None)
changes_app = typer.Typer(help="Read what changed in counting, and take decisions.", rich_markup_mode=None)
contracts_app = typer.Typer(help="Check the contracts and what is made from them.", rich_markup_mode=None)
docs_app = typer.Typer(
    help="Draw the pictures of the docs, and check that the stars are in step with the models.", rich_markup_mode=None
)
app.add_typer(alerts_app, name="alerts")
app.add_typer(changes_app, name="changes")
app.add_typer(contracts_app, name="contracts", no_args_is_help=True)
app.add_typer(docs_app, name="docs", no_args_is_help=True)
keys_app = typer.Typer(help="See which keys there are, and make new ones.", rich_markup_mode=None)
app.add_typer(keys_app, name="keys", no_args_is_help=True)

_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
_Note = Annotated[str, typer.Option(help="Why, in a sentence; kept with the decision")]
_Feed = Annotated[list[str] | None, typer.Option("--feed", help="Only this feed; may stand several times")]
_From = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day")]
_To = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day")]


@app.command()
def up() -> None:
    """Start PostgreSQL and Airflow."""
    from saferkc.cli.tell import where_to_look
    from saferkc.orchestration import lifecycle

    settings = Settings.load()
    with progress() as shown:
        started = lifecycle.up(settings, shown.step)
    say("All is up." if started else "All was up already.")
    where_to_look(settings)


@app.command()
def down() -> None:
    """Stop PostgreSQL and Airflow, and whatever a crash of them left behind."""
    from saferkc.orchestration import lifecycle

    with progress() as shown:
        stopped = lifecycle.down(Settings.load(), shown.step)
    say("All is stopped." if stopped else "Nothing was running.")


@app.command()
def nightly(
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The night's day; default today")
    ] = None,
    feed: _Feed = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all marts anew from raw")] = False,
) -> None:
    """Take in what lies in the inbox, build, audit and publish. Exit status 0 published, 2 held, 1 failed."""
    from saferkc.cli.tell import night
    from saferkc.orchestration import lifecycle
    from saferkc.orchestration.night import run_night

    settings = Settings.load()
    with progress() as shown, lifecycle.brought_up(settings, shown.step):
        before = datetime.now().astimezone()
        done = run_night(settings, shown.state, day=(day or before).date(), feeds=feed or (), full_refresh=full_refresh)
        raise typer.Exit(night(settings, done, since=before))


@app.command()
def run() -> None:
    """Bring all up, let simulated agencies deliver where nothing real has come, and run a night."""
    from saferkc.cli.first_run import first_run

    raise typer.Exit(first_run(Settings.load()))


@app.command()
def simulate(
    date_from: _From,
    date_to: _To,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files")] = 2017,
    scale: Annotated[float, typer.Option(help="1 is the borough and 1,200 street records a month; 50 is London")] = 1.0,
    scenario: Annotated[list[str] | None, typer.Option(help="A fault to put in; may stand several times")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to instead of the inbox")] = None,
    nights: Annotated[int, typer.Option(min=1, help="Last nights of the range that partners deliver one by one")] = 7,
    history: Annotated[bool, typer.Option(help="Whether the partners' first night brings all that was before")] = True,
) -> None:
    """Write simulated agencies' deliveries, into the inbox unless told otherwise."""
    from saferkc.simulation import simulate_all

    settings = Settings.load()
    try:
        files = simulate_all(
            settings,
            date_from=date_from.date(),
            date_to=date_to.date(),
            seed=seed,
            scale=scale,
            scenarios=scenario or (),
            out=out,
            nights=nights,
            history=history,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    say(f"{len(files)} files written to {out or settings.inbox}")


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False) -> None:
    """Show how tonight stands, what runs, the last builds, the deliveries and the open alerts."""
    from saferkc.cli.status import status as tell

    tell(Settings.load(), as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One query")],
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV")] = False,
    role: Annotated[str | None, typer.Option("--as", help="Database role to ask as")] = None,
) -> None:
    """Ask the warehouse one query; nothing can be changed by it."""
    from saferkc.cli.query import run_query

    run_query(Settings.load(), query, as_csv=as_csv, role=role)


@app.command()
def backfill(
    feed: Annotated[str, typer.Option(help="The feed to replay")],
    date_from: _From,
    date_to: _To,
) -> None:
    """Judge landed files of a feed again that cover those days, and build. Exit status as of nightly."""
    from saferkc.cli.tell import night
    from saferkc.orchestration import lifecycle
    from saferkc.orchestration.night import run_night

    settings = Settings.load()
    days: tuple[date, date] = (date_from.date(), date_to.date())
    if days[0] > days[1]:
        raise typer.BadParameter("--from must not lie after --to")
    with progress() as shown, lifecycle.brought_up(settings, shown.step):
        before = datetime.now().astimezone()
        done = run_night(settings, shown.state, day=before.date(), feeds=[feed], replay=days)
        raise typer.Exit(night(settings, done, since=before))


@app.command()
def pack(
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="The month; default the newest whole one")
    ] = None,
    audience: Annotated[
        str, typer.Option(help="Who is to read it: decides what is shown and which small counts")
    ] = "board",
    out: Annotated[Path | None, typer.Option(help="Folder for the files (default: packs in the home)")] = None,
) -> None:
    """Make the monthly performance pack of the published build, as HTML and PDF."""
    from saferkc.cli.pack import write_pack

    write_pack(Settings.load(), month=month.date() if month else None, audience=audience, out=out)


@app.command()
def doctor() -> None:
    """Check the installation and name what to mend. Exit status 1 where something is amiss."""
    from saferkc.cli.doctor import examine

    raise typer.Exit(examine())


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def airflow(context: typer.Context) -> None:
    """Run Airflow's own command line on this home, such as `saferkc airflow connections list`."""
    from saferkc.cli.pass_on import run_airflow

    raise typer.Exit(run_airflow(Settings.load(), context.args))


@alerts_app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,
    include_closed: Annotated[bool, typer.Option("--all", help="Closed alerts too")] = False,
) -> None:
    """Read the alert ledger and take decisions."""
    if context.invoked_subcommand is None:
        from saferkc.cli.decisions import show_alerts

        show_alerts(Settings.load(), as_json=as_json, include_closed=include_closed)


@alerts_app.command()
def acknowledge(alert_id: int, note: _Note) -> None:
    """Take an alert on: somebody looks after it."""
    from saferkc.cli.decisions import decide_alert

    decide_alert(Settings.load(), alert_id, "acknowledge", note)


@alerts_app.command()
def resolve(alert_id: int, note: _Note) -> None:
    """Close an alert: its cause is gone, or it was none."""
    from saferkc.cli.decisions import decide_alert

    decide_alert(Settings.load(), alert_id, "resolve", note)


@alerts_app.command()
def send() -> None:
    """Send the messages that wait now, and not at the next full hour."""
    from saferkc.cli.decisions import send_alerts

    send_alerts(Settings.load())


@alerts_app.command()
def preview(folder: Annotated[Path, typer.Argument(help="Where the pages are written")]) -> None:
    """Write what would be sent by Monday morning as web pages: to look at, or to see a template that was edited."""
    from saferkc.cli.decisions import preview_alerts

    preview_alerts(Settings.load(), folder)


@changes_app.callback(invoke_without_command=True)
def changes(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,
    include_all: Annotated[bool, typer.Option("--all", help="Rejected ones, real changes and those gone too")] = False,
) -> None:
    """Read what changed in counting, and take decisions."""
    if context.invoked_subcommand is None:
        from saferkc.cli.decisions import show_changes

        show_changes(Settings.load(), as_json=as_json, include_all=include_all)


@changes_app.command()
def confirm(change_id: int, note: _Note) -> None:
    """Confirm a suspected change in counting."""
    from saferkc.cli.decisions import decide_change

    decide_change(Settings.load(), change_id, "confirmed", note)


@changes_app.command()
def reject(change_id: int, note: _Note) -> None:
    """Reject a suspected change in counting: the figures moved for another reason."""
    from saferkc.cli.decisions import decide_change

    decide_change(Settings.load(), change_id, "rejected", note)


@changes_app.command()
def amend(
    change_id: int,
    note: _Note = "",
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="First month that is counted in the new way")
    ] = None,
    treatment: Annotated[str | None, typer.Option(help="bridge, break, note, hold or reload")] = None,
    nature: Annotated[str | None, typer.Option(help="Such as rename, split, scope or counting_rule")] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            help="FROM=TO:WEIGHT or FROM=TO:WEIGHT:LOW:HIGH, what FROM keeps included; may stand several times"
        ),
    ] = None,
) -> None:
    """Correct a change in counting, and so confirm it; what is not given stays as it was found."""
    from saferkc.cli.decisions import amend_change

    first = month.date() if month else None
    amend_change(
        Settings.load(), change_id, month=first, treatment=treatment, nature=nature, weights=weight or (), note=note
    )


@changes_app.command()
def decisions(change_id: int) -> None:
    """Show every decision on a change in counting: who took it, when, why, and what it changed."""
    from saferkc.cli.decisions import show_decisions

    show_decisions(Settings.load(), change_id)


@changes_app.command()
def export(
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files (default: outbox/register in the home)")
    ] = None,
) -> None:
    """Write confirmed changes as rows of the register's seeds. Exit status 1 where one breaks the register's rules."""
    from saferkc.cli.decisions import export_changes

    raise typer.Exit(export_changes(Settings.load(), out))


@changes_app.command()
def show(
    series: Annotated[
        str | None, typer.Argument(help="Such as burglary/residential; without one, all are listed")
    ] = None,
    mart: Annotated[str | None, typer.Option(help="The mart, where several have such a series")] = None,
    area: Annotated[
        str | None, typer.Option(help="Code or name of a borough or ward; default the home borough")
    ] = None,
    date_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m", "%Y-%m-%d"], help="First month")
    ] = None,
    date_to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m", "%Y-%m-%d"], help="Last month")] = None,
    out: Annotated[Path | None, typer.Option(help="A picture file to write instead, .svg or .png")] = None,
) -> None:
    """Show a series with the breaks in its counting, on the terminal or as a picture."""
    from saferkc.cli.show import show_series

    since, until = (day.date().replace(day=1) if day else None for day in (date_from, date_to))
    show_series(Settings.load(), series, mart=mart, area=area, since=since, until=until, picture=out)


@contracts_app.command()
def check() -> None:
    """Check all contracts, and that what was made from them is in step. Exit status 1 where it is not."""
    from saferkc.cli.contracts import check_contracts

    raise typer.Exit(check_contracts(Settings.load()))


@contracts_app.command()
def generate() -> None:
    """Make the files that follow from the contracts anew."""
    from saferkc.cli.contracts import generate_files

    generate_files(Settings.load())


@docs_app.command()
def diagram() -> None:
    """Draw docs/stars.md anew from the dbt models."""
    from saferkc.cli.docs import draw_stars

    draw_stars(Settings.load())


@docs_app.command()
def screenshots() -> None:
    """Make the pictures of the web pages and of a mail in docs/images anew, from a home that is up."""
    from saferkc.cli.docs import picture_pages

    picture_pages(Settings.load())


@docs_app.command("check")
def check_docs() -> None:
    """Check that docs/stars.md shows the models as they are. Exit status 1 where it does not."""
    from saferkc.cli.docs import check_stars

    raise typer.Exit(check_stars(Settings.load()))


@docs_app.command("pack-pages")
def draw_pack_pages() -> None:
    """Draw the pages in docs/performance-pack.md anew from the published build."""
    from saferkc.cli.pack import draw_pages

    draw_pages(Settings.load())


@keys_app.command("list")
def list_keys() -> None:
    """Say which keys there are, and none of them. Exit status 1 where one that was in use is gone."""
    from saferkc.cli import keys

    raise typer.Exit(keys.list_keys(Settings.load()))


@keys_app.command()
def rotate(purpose: Annotated[str, typer.Argument(help="A purpose of tokens, such as person; or: landing")]) -> None:
    """Make a new current key and keep the old one."""
    from saferkc.cli import keys

    keys.rotate_key(Settings.load(), purpose)
