"""Data docs: what the checks found, as pages to open in a browser, without a value and without the internet.

Checks leave their results here as small files; one task at the end of a build makes pages of them. Great
Expectations renders each suite's page. Its own site builder is not used: it reads all history at every build,
and its pages fetch styles, scripts and a logo from five hosts.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from saferkc.publishing.checks import SuiteResult
from saferkc.publishing.engine import own_expectations, quiet
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, fetch_all

# pages of so many builds, and of so many runs of a feed's delivery checks, are kept
KEEP_BUILDS = 30
KEEP_DELIVERIES = 10

_OUTSIDE = re.compile(
    r"<(script|style|footer|nav|button)\b.*?</\1>|<(?:link|img)\b[^>]*>"
    # pages of bare suites are not made
    r"|<a href=\"[./]*expectations/[^>]*>",
    re.S | re.I,
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 66em; margin: 2em auto;
  padding: 0 1em }
table { border-collapse: collapse; width: 100%; margin: 1em 0 }
th, td { text-align: left; vertical-align: top; padding: .35em .7em; border-bottom: 1px solid #ccc }
.failed, .text-danger, .held { color: #a50e0e; font-weight: 600 }
.passed, .text-success, .published { color: #14602a }
.warning, .text-warning { color: #7a4a00; font-weight: 600 }
.fa-check-circle::before { content: "passed" } .fa-times::before { content: "failed" }
.fa-exclamation-triangle::before { content: "could not be run" } .fas, .fa { font-style: normal }
.modal, .navbar, .btn, .col-lg-2, .collapse, [data-toggle="collapse"] { display: none }
a { color: #1a4f8b }
"""


def results_dir(settings: Settings) -> Path:
    """Where checks leave their results for the pages."""
    return settings.data_docs / "results"


def keep_build_results(settings: Settings, build_id: int, results: Sequence[SuiteResult]) -> None:
    """Leave the audit's results of a build, in place of those of an earlier audit of it."""
    folder = results_dir(settings) / f"build-{build_id}"
    shutil.rmtree(folder, ignore_errors=True)
    for result in results:
        _write_json(folder / f"{_slug(result.suite)}--{result.table}.json", result.document)


def keep_delivery_result(settings: Settings, feed: str, delivery_ids: Sequence[int], result: SuiteResult) -> None:
    """Leave the result of checking a feed's deliveries together."""
    folder = results_dir(settings) / "deliveries" / feed
    document = result.document | {"delivery_ids": list(delivery_ids)}
    _write_json(folder / f"{max(delivery_ids):09d}.json", document)
    for old in sorted(folder.glob("*.json"))[:-KEEP_DELIVERIES]:
        old.unlink(missing_ok=True)


def index_page(settings: Settings) -> Path:
    """The page to open first."""
    return settings.data_docs / "index.html"


def build_data_docs(settings: Settings, build_id: int) -> Path:
    """Write the pages of a build, those of the latest delivery checks and the index; return the index.

    To be called by one task at a time. Pages and results of builds beyond the latest ``KEEP_BUILDS`` go.
    """
    docs = settings.data_docs
    docs.mkdir(parents=True, exist_ok=True)
    with connect(settings) as connection:
        builds = fetch_all(
            connection,
            "select build_id, started_at, finished_at, state, reason, checks_run, checks_failed from quality.build"
            " order by build_id desc limit %s",
            (KEEP_BUILDS,),
        )
        checks = fetch_all(
            connection,
            "select suite, check_name, table_name, column_name, severity, success, meaning, next_step, observed"
            " from quality.check_result where build_id = %s order by success, severity, suite, table_name, check_name",
            (build_id,),
        )
    _forget_old_builds(settings, {build["build_id"] for build in builds} | {build_id})
    folder = docs / f"build-{build_id}"
    folder.mkdir(exist_ok=True)
    links = []
    for path in sorted((results_dir(settings) / f"build-{build_id}").glob("*.json")):
        document = _read_json(path)
        _write(folder / f"{path.stem}.html", _suite_page(settings, document))
        links.append((f"{path.stem}.html", document["table"], document["success"]))
    build = next((one for one in builds if one["build_id"] == build_id), None)
    _write(folder / "index.html", _build_page(build_id, build, checks, links))
    deliveries = _delivery_pages(settings)
    _write(index_page(settings), _index(settings, builds, deliveries))
    return index_page(settings)


def _delivery_pages(settings: Settings) -> list[tuple[str, str, list[int], bool]]:
    """Write the page of each feed's latest checks; returns (page, feed, delivery ids, passed)."""
    folder = settings.data_docs / "deliveries"
    folder.mkdir(exist_ok=True)
    pages = []
    for feed in sorted((results_dir(settings) / "deliveries").glob("*")):
        newest = max(feed.glob("*.json"), default=None)
        if newest is None:
            continue
        document = _read_json(newest)
        _write(folder / f"{feed.name}.html", _suite_page(settings, document))
        pages.append((f"deliveries/{feed.name}.html", feed.name, document["delivery_ids"], document["success"]))
    return pages


def _forget_old_builds(settings: Settings, keep: set[int]) -> None:
    for root in (settings.data_docs, results_dir(settings)):
        for folder in root.glob("build-*"):
            number = folder.name.removeprefix("build-")
            if number.isdigit() and int(number) not in keep:
                shutil.rmtree(folder, ignore_errors=True)


def _suite_page(settings: Settings, document: dict[str, Any]) -> str:
    """One suite on one table, as Great Expectations renders it."""
    own_expectations(settings.expectations_dir)
    from great_expectations.core.expectation_validation_result import (  # noqa: PLC0415 - slow to import
        ExpectationSuiteValidationResultSchema,
    )
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    known = {key: document[key] for key in ("success", "results", "suite_name", "statistics", "meta")}
    with quiet():
        result = ExpectationSuiteValidationResultSchema().load(known | {"suite_parameters": {}})
        page: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    page = _OUTSIDE.sub("", page)
    page = page.replace("</head>", f"<style>{_STYLE}</style></head>", 1)
    return re.sub(r"(<body[^>]*>)", r'\1<p><a href="../index.html">All checks</a></p>', page, count=1)


def _build_page(
    build_id: int,
    build: dict[str, Any] | None,
    checks: list[dict[str, Any]],
    links: list[tuple[str, str, bool]],
) -> str:
    state = build["state"] if build else "unknown"
    body = [f'<p><a href="../index.html">All checks</a></p><h1>Build {build_id}: {_state(state)}</h1>']
    if build and build["reason"]:
        body.append(f"<p>{html.escape(build['reason'])}</p>")
    body.append("<h2>Suites on the marts</h2><table><tr><th>Table<th>Result</tr>")
    body += [
        f'<tr><td><a href="{html.escape(link)}">{html.escape(table)}</a><td>{_passed(passed)}</tr>'
        for link, table, passed in links
    ]
    body.append("</table><h2>All checks of the build</h2><table>")
    body.append("<tr><th>Result<th>Check<th>Table<th>What a failure means<th>Next step</tr>")
    for check in checks:
        place = ".".join(filter(None, (check["table_name"], check["column_name"])))
        step = "" if check["success"] else check["next_step"]
        body.append(
            f"<tr><td>{_passed(check['success'], check['severity'])}"
            + "".join(f"<td>{html.escape(str(text))}" for text in (check["check_name"], place, check["meaning"]))
            + "".join(f"<br>{html.escape(text)}" for text in (check["observed"] or {}).get("evidence", ()))
            + f"<td>{html.escape(step)}"
            + "</tr>"
        )
    return _page(f"Build {build_id}", "".join(body) + "</table>")


def _index(settings: Settings, builds: list[dict[str, Any]], deliveries: list[tuple[str, str, list[int], bool]]) -> str:
    body = ["<h1>Checks of the warehouse</h1><h2>Builds</h2><table>"]
    body.append("<tr><th>Build<th>Ended<th>State<th>Checks<th>Failed<th>Why</tr>")
    for build in builds:
        page = settings.data_docs / f"build-{build['build_id']}" / "index.html"
        name = f"Build {build['build_id']}"
        link = f'<a href="build-{build["build_id"]}/index.html">{name}</a>' if page.exists() else name
        ended = f"{build['finished_at']:%d %B %Y, %H:%M}" if build["finished_at"] else ""
        cells = (build["checks_run"], build["checks_failed"], build["reason"])
        body.append(
            f"<tr><td>{link}<td>{ended}<td>{_state(build['state'])}"
            + "".join(f"<td>{html.escape(str(cell)) if cell is not None else ''}" for cell in cells)
            + "</tr>"
        )
    body.append("</table><h2>Latest deliveries of each feed</h2><table><tr><th>Feed<th>Deliveries<th>Result</tr>")
    for page_name, feed, ids, passed in deliveries:
        which = f"{min(ids)} to {max(ids)}" if len(ids) > 1 else str(ids[0])
        body.append(f'<tr><td><a href="{page_name}">{html.escape(feed)}</a><td>{which}<td>{_passed(passed)}</tr>')
    return _page("Checks of the warehouse", "".join(body) + "</table>")


def _page(title: str, body: str) -> str:
    made = datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC")
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}<p>Made {made}.</p></body></html>"
    )


def _state(state: str) -> str:
    return f'<span class="{html.escape(state)}">{html.escape(state)}</span>'


def _passed(passed: bool, severity: str = "error") -> str:
    if passed:
        return '<span class="passed">passed</span>'
    return '<span class="warning">warning</span>' if severity == "warning" else '<span class="failed">failed</span>'


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")


def _write_json(path: Path, document: dict[str, Any]) -> None:
    _write(path, json.dumps(document))


def _read_json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
