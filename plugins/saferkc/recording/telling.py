"""Tells the community safety team of suspected changes in counting: one alert a change, open until it is decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from saferkc.alerts import WAREHOUSE, raise_alert, resolve, settle
from saferkc.recording.months import months_apart
from saferkc.recording.standing import source_of
from saferkc.recording.words import month_in_words
from saferkc.warehouse.connection import Connection, fetch_all

# so long the team has to confirm or reject a change
DAYS_TO_DECIDE = 14
# A change this many months before it was found touches figures that are due for publication: it may take a quarter to
# show. What is older waits for the weekly digest, as on the first look at a long history.
MONTHS_PUBLISHED_NEXT = 4
_GROUP = "recording change"
# a year beside the year before it takes in no month that is older
_MONTHS_OF_TWO_YEARS = 24
_NOTES = {
    "confirmed": "The team confirmed it.",
    "rejected": "The team rejected it: it is no change in counting.",
    "registered": "The register of changes has it now.",
    "gone": "It no longer shows in the figures.",
}


def cause(change_id: int) -> str:
    """The name of a change among the causes of alerts."""
    return f"{_GROUP}:{change_id}"


def tell_people(connection: Connection, names: Mapping[str, str], *, now: datetime | None = None) -> None:
    """Raise an alert for each suspected change, and resolve those of changes that are suspected no longer.

    While a fault of a feed's data stands, nothing new is said about its counting, by ward or by borough: the fault may
    be all there is to it. ``names`` are the names for people of the warehouse's feeds.
    """
    rows = fetch_all(
        connection,
        """
        select c.*,
            exists (
                select from quality.recording_change as f
                where split_part(f.feed, ' ', 1) = split_part(c.feed, ' ', 1)
                    and f.kind = 'data_fault' and f.state in ('suspected', 'confirmed')
            ) as is_silenced
        from quality.recording_change as c
        where c.kind in ('recording', 'unsure') and c.state = 'suspected'
        order by c.change_id
        """,
    )
    for row in rows:
        if row["is_silenced"]:
            continue
        raise_alert(
            connection,
            dedup_key=cause(row["change_id"]),
            group_key=f"{_GROUP}:{row['feed']}",
            severity="act",
            audience="community_safety_team",
            at_once=not is_of_earlier_years(row),
            change_id=row["change_id"],
            due_date=row["detected_at"].date() + timedelta(days=DAYS_TO_DECIDE),
            now=now,
            title=title_of(row),
            body=body_of(row, names.get(source_of(row["feed"]), row["feed"])),
        )
    _close(connection, {cause(row["change_id"]) for row in rows}, now)
    _close_of_codes(connection)


def is_asked(connection: Connection, feed: str, code: str) -> bool:
    """Whether the team is asked already about a change in counting of a feed that a code has come with."""
    row = connection.execute(
        """
        select true from quality.recording_change as c, jsonb_array_elements_text(c.evidence -> 'classes') as name
        where split_part(c.feed, ' ', 1) = %s and c.kind in ('recording', 'unsure') and c.state = 'suspected'
            and c.evidence -> 'signals' ? 'code_list' and lower(name) = lower(%s)
        limit 1
        """,
        (feed, code),
    ).fetchone()
    return row is not None


def _close_of_codes(connection: Connection) -> None:
    """One cause, one alert: what engineers are told of a new code is over while the team is asked what it means."""
    rows = connection.execute(
        "select dedup_key from quality.alert where dedup_key like 'new_code:%' and state in ('open', 'acknowledged')"
    ).fetchall()
    for (dedup_key,) in rows:
        _, feed, code = dedup_key.split(":", 2)
        if is_asked(connection, feed, code.partition("=")[2]):
            resolve(connection, dedup_key, note="The community safety team is asked about it: a change in counting.")


def close_alert(
    connection: Connection,
    change_id: int,
    state: str,
    *,
    by: str = WAREHOUSE,
    note: str | None = None,
    now: datetime | None = None,
) -> None:
    """Close the alert of a change that is no longer in question: as decided, or because there is nothing to decide.

    ``by`` and ``note`` are whose decision it is and why.
    """
    if state in ("confirmed", "rejected"):
        decided: Literal["confirmed", "rejected"] = "confirmed" if state == "confirmed" else "rejected"
        settle(connection, cause(change_id), decided, by=by, note=note or _NOTES[state], now=now)
    else:
        resolve(connection, cause(change_id), note=_NOTES.get(state, "It is not suspected any more."), now=now)


def _close(connection: Connection, still_asked: set[str], now: datetime | None) -> None:
    rows = fetch_all(
        connection,
        """
        select c.change_id, c.state, a.dedup_key
        from quality.alert as a
        inner join quality.recording_change as c on a.dedup_key = %s || ':' || c.change_id
        where a.state in ('open', 'acknowledged')
        """,
        (_GROUP,),
    )
    for row in rows:
        if row["dedup_key"] not in still_asked:
            close_alert(connection, row["change_id"], row["state"], now=now)


def is_of_earlier_years(row: Mapping[str, Any]) -> bool:
    """Whether a change leaves the figures alone that are published next: those of the months before it was found."""
    return months_apart(row["detected_at"].date(), row["effective_month"]) > MONTHS_PUBLISHED_NEXT


def title_of(row: Mapping[str, Any]) -> str:
    """One line that says what has probably happened and what has not."""
    if _is_rename(row):
        return f"{_subject(row)}: new names, probably counted as before"
    if row["kind"] == "recording":
        return f"{_subject(row)}: probably a change in recording, not in what happened"
    return f"{_subject(row)}: a change in recording or a real one? It is not clear"


def body_of(row: Mapping[str, Any], feed_name: str) -> str:
    """What changed, what not to say, what is safe to say, how sure it is and why, and who decides by when.

    ``row`` is a row of the ledger, ``feed_name`` what its feed is called.
    """
    evidence = row["evidence"]
    by = row["detected_at"].date() + timedelta(days=DAYS_TO_DECIDE)
    number = row["change_id"]
    parts = [
        f"What changed ({feed_name}): {' '.join(evidence.get('sentences', ()))}",
        f"Do not: {unsafe_of(row)}",
        f"Safe to say: {safe_of(row)}",
        f"How sure: {sureness_of(row)}.",
        f"Who decides: the community safety team, by {by.day} {by:%B %Y}. `saferkc changes confirm {number} --note"
        f" TEXT` where the counting has changed, `saferkc changes reject {number} --note TEXT` where it has not. Until"
        " then the figures concerned are marked as provisional.",
    ]
    return "\n\n".join(parts)


def _subject(row: Mapping[str, Any]) -> str:
    return str(row["parent_series"] or row["series"])


def _is_rename(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == "recording" and row["nature"] == "rename")


def _classes(row: Mapping[str, Any]) -> str:
    names = [name for name in row["evidence"].get("classes", ()) if name != row["parent_series"]]
    return ", ".join(f"“{name}”" for name in names) or f"“{row['series']}”"


def unsafe_of(row: Mapping[str, Any]) -> str:
    """What not to do with the figures, as it follows "Do not"."""
    month = month_in_words(row["effective_month"])
    if row["treatment"] == "reload":
        return "put figures that were published earlier beside today's: the past has been counted anew since."
    if row["nature"] == "practice" and row["evidence"].get("earliest_month") != row["evidence"].get("latest_month"):
        return (
            f"speak of a rise or a fall in “{_subject(row)}” from {month} on without saying that it is probably"
            " recorded differently since."
        )
    if _is_rename(row):
        return "say that the old name fell or the new one rose: they are probably the same thing."
    apart = f"compare months before {month} with months from {month} on, in {_classes(row)}."
    if months_apart(row["detected_at"].date(), row["effective_month"]) > _MONTHS_OF_TWO_YEARS:
        return apart
    return (
        f"{apart} That rules out “the last twelve months” and “this year against last” as well, as long as they take in"
        " months of both sides."
    )


def safe_of(row: Mapping[str, Any]) -> str:
    """What may be said all the same."""
    month = month_in_words(row["effective_month"])
    bridged = row["evidence"].get("bridged_parent")
    if bridged and _is_rename(row):
        return (
            f"“{bridged}” as a whole may be compared before and after {month}, and so may each new name with the one it"
            " replaces."
        )
    if bridged:
        return f"“{bridged}” as a whole may be compared before and after {month}."
    if row["treatment"] == "reload":
        return "today's figures may be compared with each other, over the whole time."
    if _is_rename(row):
        return "the old name's months may be compared with each other, and so may the new one's."
    return (
        f"months before {month} may be compared with each other, and so may months from {month} on."
        " Whether more or fewer of it happened can't be said yet, whatever the figures do."
    )


def sureness_of(row: Mapping[str, Any]) -> str:
    """How sure it is that counting changed, and from what."""
    confidence = float(row["confidence"] or 0)
    sureness = "high" if confidence >= 0.85 else "medium" if confidence >= 0.6 else "low"
    return f"{sureness} ({_basis(row['evidence'].get('signals', ()))})"


_SIGNALS = {
    "code_list": "names or codes are new or gone",
    "sibling_share": "one class gained what another lost",
    "known_day": "counting often changes on such a day",
    "peers": "other areas show the same",
    "level": "the level changed from one month to the next",
    "sister": "another source that sees the same thing was looked at",
    "flags": "another share of the records is marked",
    "completeness": "months are not whole yet",
    "capture": "records are filled in differently",
    "vintages": "the past was published differently before",
}


def _basis(signals: list[str]) -> str:
    return (
        ", ".join(_SIGNALS.get(signal, signal.replace("_", " ")) for signal in signals)
        or "nothing but the figures says so"
    )
