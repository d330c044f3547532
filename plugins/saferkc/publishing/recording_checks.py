"""What the audit asks about counting: the expectations of each feed that a change stands in, or that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from saferkc.publishing.checks import Check, Checker, Outcome, SuiteResult
from saferkc.recording.looks import LOOK_CHECK, LOOK_SUITE, NEXT_STEP, feeds_due, looked_at, not_looked_at
from saferkc.recording.reading import FEEDS
from saferkc.recording.standing import STANDING, Aspect, Severity, Standing, as_standing, source_of
from saferkc.warehouse.connection import Connection, fetch_all

_DECIDE = (
    "Ask whoever delivers the feed, then decide: `saferkc changes confirm ID --note TEXT` where the counting has"
    " changed, `saferkc changes reject ID --note TEXT` where it has not. Until then the series is marked provisional."
)
_MEND = (
    "Ask the agency for a whole delivery and run the nightly again: the build is published by itself once the fault is"
    " gone. If the figures are right as they are: `saferkc changes reject ID --note TEXT`, then the nightly again."
    " docs/runbook/a-data-fault-holds-the-build.md says more."
)
# aspect: expectation, name of the check, what a failure means
_CHECKS: dict[Aspect, tuple[str, str, str]] = {
    "code list": (
        "expect_code_list_known",
        "code list known",
        "Codes are new, gone, renamed or mistyped, and nobody has said yet what that means for the series.",
    ),
    "sibling share": (
        "expect_sibling_share_stable",
        "sibling share stable",
        "One class seems to take over what was counted as its sibling.",
    ),
    "history": (
        "expect_history_not_restated",
        "history not restated",
        "Settled months are other ones than were published before.",
    ),
    "period": ("expect_period_complete", "period complete", "A month is missing, not all there, or there twice."),
    "break": (
        "expect_no_unregistered_break",
        "no unregistered break",
        "A series changed in a way that looks like counting, and the register has no entry for it.",
    ),
}


def check_recording(checker: Checker, connection: Connection, build_id: int) -> list[SuiteResult]:
    """Ask of each feed whether its counting stands as it was, and whether tonight's look was made at all.

    The last of the results is about the looks; it is empty where none is missing.
    """
    standing = as_standing(fetch_all(connection, STANDING))
    by_feed = {name: [c for c in standing if c.feed == name] for name in {change.feed for change in standing}}
    names = sorted(by_feed.keys() | looked_at(connection, build_id))
    results = [
        checker.run(f"counting of {name}", "raw", source_of(name), suite_of(name, by_feed.get(name, ())))
        for name in names
    ]
    return [*results, _missing_looks([due.feed for due in feeds_due(connection, build_id, FEEDS)])]


def suite_of(name: str, changes: Sequence[Standing]) -> list[Check]:
    """The five expectations about a feed's counting, each as grave as what stands in it."""
    return [
        Check(
            name=f"{check}: {name}",
            expectation=expectation,
            severity=_gravest(change for change in changes if change.aspect == aspect),
            meaning=meaning,
            next_step=_MEND if aspect == "period" else _DECIDE,
            owner="engineers" if aspect == "period" else "community_safety_team",
            arguments={"feed": name},
        )
        for aspect, (expectation, check, meaning) in _CHECKS.items()
    ]


def _gravest(changes: Iterable[Standing]) -> Severity:
    return "error" if any(change.severity == "error" for change in changes) else "warning"


def _missing_looks(feeds: Sequence[str]) -> SuiteResult:
    outcomes = [
        Outcome(
            Check(
                name=LOOK_CHECK,
                expectation=LOOK_CHECK,
                severity="warning",
                table=f"raw.{feed}",
                meaning=not_looked_at(feed),
                next_step=NEXT_STEP,
            ),
            success=False,
        )
        for feed in feeds
    ]
    return SuiteResult(LOOK_SUITE, "quality", "recording_change", outcomes, {})
