"""The audit: whether a build is fit to be published, and what is said and done when it isn't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from saferkc.alerts import raise_alert
from saferkc.contracts import load_contracts
from saferkc.monitoring import timed
from saferkc.publishing.checks import NO_ROWS, Check, Checker, Outcome, SuiteResult, record
from saferkc.publishing.documents import keep_build_results
from saferkc.publishing.ledger import APPLICATION_NAME, HELD_ALERT, close_build
from saferkc.publishing.manifest import (
    BUILD_PREFIX,
    ManifestError,
    NodeResult,
    PublishedModel,
    node_descriptions,
    published_models,
    run_results,
    target_dir,
)
from saferkc.publishing.recording_checks import check_recording
from saferkc.publishing.suites import Suite, load_suites
from saferkc.recording.looks import LOOK_SUITE
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

_MODEL_KINDS = ("model", "seed", "snapshot")
_BUILT = ("success", "no-op")
_TEST_FAULTS = ("fail", "error", "runtime error")


class AuditHeldError(Exception):
    """The audit held the build: checks failed, the last good build stays published."""


class BuildFailedError(Exception):
    """dbt did not build what is to be published; the last good build stays published."""


@dataclass(frozen=True)
class AuditResult:
    """What the audit found. ``reasons`` are the failures in words; ``warnings`` do not hold the build."""

    state: Literal["passed", "held", "failed"]
    checks: int
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@timed("audit")
def audit(
    settings: Settings,
    build_id: int,
    dbt_run_results: Path | None,
    *,
    manifest: Path | None = None,
    suites_dir: Path | None = None,
) -> AuditResult:
    """Judge a build by dbt's results, the suites on its marts, its deliveries' checks and the accounts.

    Everything is entered in ``quality.check_result``. A failure of severity 'error' holds the build: its
    state and reason, an alert and a mail say which checks failed, and this raises ``AuditHeldError``. Where
    dbt could not build a model at all, the build has failed: ``BuildFailedError``. Safe to call again while
    the build runs.
    """
    manifest = manifest or target_dir(settings) / "manifest.json"
    try:
        models = published_models(manifest)
        nodes = _results(dbt_run_results)
    except ManifestError as error:
        _fail(settings, build_id, str(error))
        raise BuildFailedError(str(error)) from error
    broken = _not_built(models, nodes)
    tests = _dbt_tests(nodes, manifest)
    if broken is not None:
        with connect(settings, application_name=APPLICATION_NAME) as connection:
            _record(connection, build_id, [tests], nodes)
        _fail(settings, build_id, broken)
        raise BuildFailedError(broken)

    skipped = {node.name for node in nodes if node.kind in _MODEL_KINDS and node.status not in _BUILT}
    suites = load_suites(suites_dir or settings.suites_dir)
    with Checker(settings) as checker, connect(settings, application_name=APPLICATION_NAME) as connection:
        on_marts = _run_suites(checker, suites, skipped, build_id)
        accounts = checker.run("accounts", "quality", "delivery", _account_checks(settings, build_id))
        *counting, looks = check_recording(checker, connection, build_id)
    results = [tests, *on_marts, accounts, *counting, looks]
    keep_build_results(settings, build_id, [*on_marts, accounts, *counting])
    with connect(settings, application_name=APPLICATION_NAME) as connection:
        _record(connection, build_id, results, nodes)
        reasons = _faults(results, "error") + _delivery_faults(connection, build_id)
        result = AuditResult(
            state="held" if reasons else "passed",
            checks=sum(len(one.outcomes) for one in results),
            reasons=reasons,
            warnings=_faults(results, "warning"),
        )
        if reasons:
            _hold(connection, build_id, results, reasons)
    if reasons:
        raise AuditHeldError(f"build {build_id} is held: {'; '.join(reasons)}")
    return result


def _results(path: Path | None) -> list[NodeResult]:
    if path is None:
        raise ManifestError("dbt left no results: it did not come to its end")
    return run_results(path)


def _not_built(models: Sequence[PublishedModel], nodes: Sequence[NodeResult]) -> str | None:
    """Why dbt failed to build, in words; None where every model was built or only kept back by a test."""
    models_of_run = [node for node in nodes if node.kind in _MODEL_KINDS]
    errors = [node.name for node in models_of_run if node.status not in (*_BUILT, "skipped")]
    if errors:
        return f"dbt could not build {', '.join(sorted(errors))}; its log has the statement"
    seen = {node.name for node in models_of_run}
    missing = sorted(model.name for model in models if model.table not in seen)
    if missing:
        return f"dbt did not come to {', '.join(missing)}"
    skipped = sorted(node.name for node in models_of_run if node.status == "skipped")
    if skipped and not any(node.status in _TEST_FAULTS for node in nodes):
        return f"dbt skipped {', '.join(skipped)} for no reason that it gives"
    return None


def _dbt_tests(nodes: Sequence[NodeResult], manifest: Path) -> SuiteResult:
    """dbt's tests and unit tests as outcomes of a suite of their own."""
    described = node_descriptions(manifest)
    outcomes = []
    for node in nodes:
        if node.kind not in ("test", "unit_test") or node.status == "skipped":
            continue
        about: dict[str, Any] = described.get(node.unique_id, {})
        meta = about.get("meta", {})
        subject = about.get("table") or node.unique_id.split(".")[2]
        meaning = meta.get("meaning") or about.get("description") or f"The dbt test {node.name} failed."
        check = Check(
            name=node.name,
            expectation=about.get("test") or "unit_test",
            severity="warning" if node.status == "warn" else "error",
            column=about.get("column"),
            table=subject,
            meaning=" ".join(str(meaning).split()),
            next_step=" ".join(str(meta.get("next_step") or "Run the test's query and mend the model.").split()),
            owner=meta.get("owner", "engineers"),
        )
        outcomes.append(
            Outcome(
                check,
                node.status in ("pass", "success"),
                {"unexpected_count": float(node.rows)} if node.rows else {},
                could_not_run=node.status in ("error", "runtime error"),
            )
        )
    return SuiteResult("dbt tests", "dbt", "tests", outcomes, {})


def _run_suites(checker: Checker, suites: Sequence[Suite], skipped: set[str], build_id: int) -> list[SuiteResult]:
    # a table that dbt kept back after a failed test is still the last build's: nothing to learn from it
    return [
        checker.run(
            f"{suite.schema_name} marts",
            BUILD_PREFIX + suite.schema_name,
            table.table,
            [check.check(build_id) for check in table.checks],
        )
        for suite in suites
        for table in suite.tables
        if table.table not in skipped
    ]


def _account_checks(settings: Settings, build_id: int) -> list[Check]:
    """That rows add up for every delivery, and that raw holds what new deliveries say they brought."""
    new = f"""
        select seen.delivery_id from quality.build_delivery as seen where seen.build_id = {build_id}
        and not exists (
            select 1 from quality.build_delivery as before where before.delivery_id = seen.delivery_id
            and before.build_id = (select max(build_id) from quality.build where state = 'published')
        )
    """  # noqa: S608 - a number of ours
    counts = " union all ".join(
        f"select delivery_id, count(*) as rows from raw.{feed}"  # noqa: S608 - names of contracts
        " where delivery_id in (select delivery_id from new) group by 1"
        for feed in load_contracts(settings.contracts_dir)
    )
    next_step = "Tell the engineers: a fault of loading. They mend it and load the delivery again."
    return [
        Check(
            name="rows add up for every delivery",
            expectation=NO_ROWS,
            severity="error",
            query="select 1 from {batch} where rows_in <> rows_admitted + rows_unchanged + rows_quarantined",
            meaning="Rows of a delivery are neither admitted nor unchanged nor in quarantine.",
            next_step=next_step,
        ),
        Check(
            name="raw holds what new deliveries brought",
            expectation=NO_ROWS,
            severity="error",
            query=f"""
                with new as materialized ({new}), counted as ({counts})
                select 1 from {{batch}} as d join new using (delivery_id) left join counted using
                (delivery_id) where d.rows_admitted <> coalesce(counted.rows, 0)
            """,  # noqa: S608
            meaning="Raw does not hold as many rows of a delivery as its account says.",
            next_step=next_step,
        ),
    ]


def _delivery_faults(connection: Connection, build_id: int) -> list[str]:
    """Failed checks on deliveries that this build shows; one that is no longer current does not hold it."""
    rows = connection.execute(
        """
        select c.feed, d.source_name, c.meaning from quality.check_result as c
        join quality.build_delivery as b on b.delivery_id = c.delivery_id and b.build_id = %s
        join quality.delivery as d on d.delivery_id = c.delivery_id
        where c.build_id is null and c.severity = 'error' and not c.success
          and exists (select 1 from quality.delivery_coverage as v
                      where v.delivery_id = c.delivery_id and v.is_current)
        order by c.delivery_id, c.check_result_id
        """,
        (build_id,),
    )
    return [f"{feed}, {name}: {meaning}" for feed, name, meaning in rows]


def _faults(results: Sequence[SuiteResult], severity: str) -> list[str]:
    faults = [
        f"{(outcome.check.table or f'{result.schema}.{result.table}').removeprefix(BUILD_PREFIX)}: {outcome.sentence}"
        for result in results
        for outcome in result.failed
        if outcome.check.severity == severity
    ]
    return list(dict.fromkeys(faults))


def _record(connection: Connection, build_id: int, results: Sequence[SuiteResult], nodes: Sequence[NodeResult]) -> None:
    # but not the account of the looks at the feeds, which were made before
    connection.execute("delete from quality.check_result where build_id = %s and suite <> %s", (build_id, LOOK_SUITE))
    for result in results:
        record(connection, result, build_id=build_id, feed=result.table if result.schema == "raw" else None)
    outcomes = [outcome for result in results for outcome in result.outcomes]
    connection.execute(
        "update quality.build set checks_run = %s, checks_failed = %s, models_built = %s where build_id = %s",
        (
            len(outcomes),
            sum(not outcome.success and outcome.check.severity == "error" for outcome in outcomes),
            sum(node.kind == "model" and node.status in _BUILT for node in nodes),
            build_id,
        ),
    )


def _hold(
    connection: Connection,
    build_id: int,
    results: Sequence[SuiteResult],
    reasons: Sequence[str],
) -> None:
    """Close the build as held, and raise the alert, whose message is queued with it."""
    close_build(connection, build_id, state="held", reason="; ".join(reasons))
    steps = sorted(
        {
            outcome.check.next_step
            for result in results
            for outcome in result.failed
            if outcome.check.severity == "error"
        }
    ) or ["Look at the delivery's checks with `saferkc alerts`, mend the delivery, run the nightly again."]
    listed = "\n".join(f"- {reason}" for reason in reasons)
    advice = "\n".join(f"- {step}" for step in steps)
    stays = _last_good(connection)
    title = f"Build {build_id} is held: {len(reasons)} check{'s' if len(reasons) > 1 else ''} failed"
    body = f"{listed}\n\nNext step:\n{advice}\n\n{stays}"
    raise_alert(
        connection,
        dedup_key=HELD_ALERT,
        group_key="build",
        severity="held",
        audience="engineers",
        title=title,
        body=body,
    )


def _last_good(connection: Connection) -> str:
    row = connection.execute(
        "select build_id, finished_at from quality.build where state = 'published' order by build_id desc limit 1"
    ).fetchone()
    if row is None:
        return "No build has been published yet, so there are no marts to see."
    return f"The last good build ({row[0]}, of {row[1]:%d %B %Y, %H:%M}) stays published."


def _fail(settings: Settings, build_id: int, reason: str) -> None:
    with connect(settings, application_name=APPLICATION_NAME) as connection:
        close_build(connection, build_id, state="failed", reason=reason)
