"""The FastAPI app that Airflow's web server mounts: which address shows what, for whom."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from saferkc.alerts import AlertNotFoundError
from saferkc.alerts.answering import AnswerError, Link, TokenError, check_unused, read_token
from saferkc.contracts import load_contracts
from saferkc.disclosure import DisclosureError, read_rules
from saferkc.pages import alerts, changes, deliveries, series, tonight, words
from saferkc.pages.access import NotSignedInError, Person, answerer, reader
from saferkc.pages.forms import check_form, form_token, keep_nonce, nonce_of
from saferkc.recording.charts.catalogue import UnknownSeriesError
from saferkc.recording.charts.gated import read_gated
from saferkc.recording.charts.read import UnknownAreaError
from saferkc.recording.charts.words import description, main_message, mark_in_words
from saferkc.recording.reading.boroughs import borough_names
from saferkc.recording.register import read_register
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

_HERE = Path(__file__).parent
# everything comes from here: no script runs, no other site is asked, and only Airflow's own pages may frame these
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SHOWN_AT_FIRST = "burglary/all"


def _import_drawing() -> None:
    from saferkc.recording.charts import picture  # noqa: F401, PLC0415


# what draws charts is imported while nobody waits for it
threading.Thread(target=_import_drawing, daemon=True).start()

app = FastAPI(title="Safer K&C", docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
templates = Jinja2Templates(directory=_HERE / "templates")
templates.env.filters |= {
    "day": words.day, "moment": words.moment, "number": words.number, "month": words.month, "lasted": words.lasted,
    "paragraphs": words.paragraphs, "spaced": words.spaced,
}  # fmt: skip
templates.env.trim_blocks = templates.env.lstrip_blocks = True

Reader = Annotated[Person, Depends(reader)]
Answerer = Annotated[Person, Depends(answerer)]
Text = Annotated[str, Form(max_length=2000)]


def settings_of() -> Settings:
    """The settings of the home that this server belongs to."""
    return Settings.load()


Home = Annotated[Settings, Depends(settings_of)]


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection that can change nothing."""
    with connect(settings, application_name="saferkc pages") as connection:
        connection.read_only = True
        yield connection


@app.middleware("http")
async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.url.path.startswith(f"{request.scope['root_path']}/static/"):
        response.headers["Cache-Control"] = "max-age=3600"
    return response


@app.exception_handler(NotSignedInError)
async def _sign_in(request: Request, error: NotSignedInError) -> Response:
    """Send somebody who wants to read to the sign-in page; who wants to change something is only told."""
    if request.method in ("GET", "HEAD") and "authorization" not in request.headers:
        return RedirectResponse(error.login, status.HTTP_303_SEE_OTHER)
    return _error(request, status.HTTP_401_UNAUTHORIZED, "You are not signed in.")


@app.exception_handler(HTTPException)
async def _refused(request: Request, error: HTTPException) -> Response:
    return _error(request, error.status_code, str(error.detail))


@app.exception_handler(psycopg.OperationalError)
async def _unreachable(request: Request, _: psycopg.OperationalError) -> Response:
    said = "The warehouse can't be reached at the moment. `saferkc status` says more."
    return _error(request, status.HTTP_503_SERVICE_UNAVAILABLE, said)


@app.exception_handler(DisclosureError)
async def _no_rule(request: Request, error: DisclosureError) -> Response:
    """Without a rule for who is reading no figure is shown."""
    return _error(request, status.HTTP_503_SERVICE_UNAVAILABLE, f"No figures can be shown: {error}")


@app.exception_handler(AlertNotFoundError)
async def _no_alert(request: Request, error: AlertNotFoundError) -> Response:
    return _error(request, status.HTTP_404_NOT_FOUND, str(error))


@app.exception_handler(AnswerError)
async def _not_taken(request: Request, error: AnswerError) -> Response:
    code = status.HTTP_410_GONE if isinstance(error, TokenError) else status.HTTP_409_CONFLICT
    return _error(request, code, f"Nothing was changed: {error}.")


def _error(request: Request, code: int, message: str) -> Response:
    content = {"root": request.scope["root_path"], "page": "", "person": None, "code": code, "message": message}
    return templates.TemplateResponse(request, "error.html", content, status_code=code)


def show(request: Request, settings: Settings, person: Person, page: str, **content: Any) -> HTMLResponse:
    """Answer with a page; ``content`` is what its template shows."""
    nonce = nonce_of(request)
    shared = {
        "root": request.scope["root_path"],
        "page": page.partition("_")[0],
        "person": person,
        "form_token": form_token(settings, nonce, person),
    }
    response = templates.TemplateResponse(request, f"{page}.html", shared | content)
    keep_nonce(request, response, nonce)
    return response


@app.get("/")
def tonight_page(request: Request, person: Reader, settings: Home) -> HTMLResponse:
    """How the night went."""
    with reading(settings) as connection:
        stands = tonight.read_tonight(settings, connection)
        opened = alerts.read_alerts(connection, include_closed=False)
    return show(request, settings, person, "tonight", tonight=stands, open_alerts=opened, slow=tonight.SLOW)


@app.get("/alerts")
def alerts_page(request: Request, person: Reader, settings: Home, closed: bool = False) -> HTMLResponse:
    """The open alerts, the gravest first."""
    with reading(settings) as connection:
        found = alerts.read_alerts(connection, include_closed=closed)
    return show(request, settings, person, "alerts", alerts=found, closed=closed)


@app.get("/alerts/{alert_id}")
def alert_page(request: Request, person: Reader, settings: Home, alert_id: int) -> HTMLResponse:
    """One alert with its history, and the answers that it may be given."""
    with reading(settings) as connection:
        alert, history = alerts.read_one(connection, alert_id)
    return show(request, settings, person, "alerts_one", alert=alert, history=history, buttons=alerts.buttons_of(alert))


@app.post("/alerts/{alert_id}")
def answer_alert(
    request: Request, person: Answerer, settings: Home, alert_id: int, answer: Text, note: Text, form_token: Text
) -> Response:
    """Take an answer to an alert."""
    check_form(request, settings, person, form_token)
    with connect(settings, application_name="saferkc pages") as connection:
        alerts.take(connection, alert_id, answer, by=person.name, note=note)
    return _seen(request, f"/alerts/{alert_id}")


@app.get("/answer")
def answer_page(request: Request, person: Answerer, settings: Home, token: str) -> HTMLResponse:
    """Where a link of a message leads: it shows the answer and asks for it. Looking decides nothing."""
    link = read_token(settings, token)
    with reading(settings) as connection:
        check_unused(connection, link.token_id)
        alert, history = alerts.read_one(connection, link.alert_id)
    buttons = [pair for pair in alerts.buttons_of(alert) if pair[0] == link.answer]
    return show(request, settings, person, "alerts_one", alert=alert, history=history, buttons=buttons, token=token)


@app.post("/answer")
def answer_link(
    request: Request, person: Answerer, settings: Home, token: Text, note: Text, form_token: Text
) -> Response:
    """Take the answer that a link of a message is for."""
    check_form(request, settings, person, form_token)
    link: Link = read_token(settings, token)
    with connect(settings, application_name="saferkc pages") as connection:
        alerts.take(connection, link.alert_id, link.answer, by=person.name, note=note, token_id=link.token_id)
    return _seen(request, f"/alerts/{link.alert_id}")


def _seen(request: Request, path: str) -> Response:
    """Show what has become of it, by a page that may be loaded again without deciding again."""
    return RedirectResponse(f"{request.scope['root_path']}{path}", status.HTTP_303_SEE_OTHER)


@app.get("/changes")
def changes_page(request: Request, person: Reader, settings: Home, every: bool = False) -> HTMLResponse:
    """What was found of changes in counting, and what the register knows."""
    register = read_register(settings.dbt_project_dir / "seeds")
    rules = read_rules(settings.disclosure_file)
    with reading(settings) as connection:
        found = changes.read_changes(connection, register, rules, person.audience, include_all=every)
    entries = sorted(register.changes, key=lambda row: row["effective_from"], reverse=True)
    return show(
        request, settings, person, "changes",
        changes=found, every=every, register=entries, names=borough_names(settings.dbt_project_dir / "seeds"),
    )  # fmt: skip


@app.get("/changes/{change_id}")
def change_page(request: Request, person: Reader, settings: Home, change_id: int) -> HTMLResponse:
    """One change: what was found, how sure, its charts, and what was decided."""
    register = read_register(settings.dbt_project_dir / "seeds")
    names = borough_names(settings.dbt_project_dir / "seeds")
    rules = read_rules(settings.disclosure_file)
    with reading(settings) as connection:
        found = changes.read_change(connection, register, rules, person.audience, change_id)
        if found is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no recording change {change_id}.")
        change, decisions = found
        shelf = series.read_shelf(connection, settings)
        concerned = [] if shelf is None else shelf.of_change(change.row)
        charts = [
            (name, read_gated(connection, settings, shelf.catalogue.names[name], audience=person.audience))
            for name in concerned[: changes.CHARTS]
            if shelf is not None
        ]
    return show(
        request, settings, person, "changes_one",
        change=change, decisions=decisions, concerned=concerned, names=names,
        charts=[(name, chart, description(chart)) for name, chart in charts],
    )  # fmt: skip


@app.post("/changes/{change_id}")
def decide_change(
    request: Request, person: Answerer, settings: Home, change_id: int, answer: Text, note: Text, form_token: Text
) -> Response:
    """Confirm or reject a change: by its alert where one asks about it, so that the alert's history has it, too."""
    check_form(request, settings, person, form_token)
    with connect(settings, application_name="saferkc pages") as connection:
        changes.take(connection, change_id, answer, by=person.name, note=note)
    return _seen(request, f"/changes/{change_id}")


@app.get("/series")
def series_page(
    request: Request, person: Reader, settings: Home, name: str = _SHOWN_AT_FIRST, area: str = ""
) -> HTMLResponse:
    """A monthly series of a mart with its breaks and bounds, as a chart and as a table."""
    with reading(settings) as connection:
        shelf = series.read_shelf(connection, settings)
        if shelf is None or not shelf.catalogue.series:
            return show(request, settings, person, "series", shelf=None)
        chosen = _found(shelf, name)
        areas = series.read_areas(connection, shelf, chosen.mart)
        # areas differ from mart to mart: what another mart has is not asked of this one
        code = area if area in {one.code for one in areas} else shelf.home
        charted = read_gated(connection, settings, chosen, audience=person.audience, area=code)
    return show(
        request, settings, person, "series",
        shelf=shelf, name=next(n for n, s in shelf.catalogue.names.items() if s == chosen), chosen=chosen, areas=areas,
        area=code, chart=charted, rows=series.rows_of(charted), message=main_message(charted),
        description=description(charted), marks=[mark_in_words(mark) for mark in charted.marks_in_sight()],
    )  # fmt: skip


@app.get("/series/chart.svg")
def series_chart(person: Reader, settings: Home, name: str, area: str = "") -> Response:
    """The chart of a series, of the figures that the page shows."""
    from saferkc.recording.charts.picture import draw  # noqa: PLC0415

    with reading(settings) as connection:
        shelf = series.read_shelf(connection, settings)
        if shelf is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "Nothing is published yet.")
        try:
            found = _found(shelf, name)
            charted = read_gated(connection, settings, found, audience=person.audience, area=area or None)
        except UnknownAreaError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
    return Response(draw(charted, "svg"), media_type="image/svg+xml")


def _found(shelf: series.Shelf, name: str) -> Any:
    try:
        return shelf.catalogue.find(name)
    except UnknownSeriesError as error:
        if name == _SHOWN_AT_FIRST:
            return shelf.catalogue.series[0]
        raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error


@app.get("/deliveries")
def deliveries_page(
    request: Request, person: Reader, settings: Home, feed: str = "", state: str = "", before: int | None = None
) -> HTMLResponse:
    """What came, the newest first."""
    with reading(settings) as connection:
        found = deliveries.read_page(connection, feed=feed, state=state, before=before)
    return show(
        request, settings, person, "deliveries",
        deliveries=found[: deliveries.PAGE], has_more=len(found) > deliveries.PAGE, feed=feed, state=state,
        feeds=sorted(load_contracts(settings.contracts_dir)),
    )  # fmt: skip


@app.get("/deliveries/{delivery_id}")
def delivery_page(request: Request, person: Reader, settings: Home, delivery_id: int, after: int = 0) -> HTMLResponse:
    """One delivery, down to the quarantined lines and their rules."""
    with reading(settings) as connection:
        found = deliveries.read_delivery(connection, delivery_id)
        if found is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no delivery {delivery_id}.")
        lines = deliveries.read_lines(connection, delivery_id, after)
    return show(request, settings, person, "deliveries_one", delivery=found, lines=lines, after=after)
