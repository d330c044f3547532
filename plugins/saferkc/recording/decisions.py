"""What people decide on changes in counting: confirm, reject, amend. Decisions win over the register and later nights.

What stands is in ``quality.recording_change``; every decision stays in ``quality.recording_decision``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from saferkc.recording.findings import Nature, Treatment
from saferkc.recording.telling import close_alert
from saferkc.warehouse.connection import Connection, fetch_all

WeightBasis = Literal["dual_coded", "authority", "estimated"]
_TOLERANCE = 1e-9
# what a decision may change, as it stands in the ledger
_SEEN = """
    jsonb_build_object(
        'state', state, 'effective_month', effective_month, 'nature', nature, 'treatment', treatment,
        'code_map', evidence -> 'code_map'
    )
"""


class ChangeNotFoundError(Exception):
    """There is no recording change of that number."""


class AmendmentError(Exception):
    """An amendment says nothing, or something that can't be; the message says what."""


@dataclass(frozen=True)
class Weight:
    """So much of what was counted under ``from_class`` is counted under ``to_class``, between ``low`` and ``high``."""

    from_class: str
    to_class: str
    weight: float
    low: float
    high: float
    basis: WeightBasis = "estimated"


@dataclass(frozen=True)
class Amendment:
    """What somebody knows better than the detector; what is None stays as it was found.

    ``effective_month`` is the first month counted in the new way. Raises ``AmendmentError``.
    """

    effective_month: date | None = None
    nature: Nature | None = None
    treatment: Treatment | None = None
    code_map: Sequence[Weight] = ()

    def __post_init__(self) -> None:
        if not (self.effective_month or self.nature or self.treatment or self.code_map):
            raise AmendmentError("nothing to amend: give a month, a nature, a treatment or weights")
        if self.effective_month and self.effective_month.day != 1:
            raise AmendmentError(f"{self.effective_month} is not the first day of a month")
        for name, value, allowed in (
            ("nature", self.nature, get_args(Nature)),
            ("treatment", self.treatment, get_args(Treatment)),
        ):
            if value is not None and value not in allowed:
                raise AmendmentError(f"{name} {value!r} is unknown; known are {', '.join(allowed)}")
        _check(self.code_map)


def _check(code_map: Sequence[Weight]) -> None:
    for weight in code_map:
        if not 0 <= weight.low <= weight.weight <= weight.high <= 1:
            raise AmendmentError(
                f"{weight.from_class} to {weight.to_class}: {weight.low} <= {weight.weight} <= {weight.high} is not so"
            )
    for code in dict.fromkeys(weight.from_class for weight in code_map):
        total = sum(weight.weight for weight in code_map if weight.from_class == code)
        if abs(total - 1) > _TOLERANCE:
            raise AmendmentError(f"the weights of {code} add up to {total:g} and not to 1")


def decide(
    connection: Connection,
    change_id: int,
    state: Literal["confirmed", "rejected"],
    *,
    by: str,
    note: str,
    now: datetime | None = None,
) -> None:
    """Confirm or reject a change, and close its alert. Raises ``ChangeNotFoundError``."""
    _write(connection, change_id, state, by=by, note=note, values={"state": state}, now=now)


def amend(connection: Connection, change_id: int, amendment: Amendment, *, by: str, note: str) -> None:
    """Correct a change, and so confirm it: who says when it came says that it came. Raises ``ChangeNotFoundError``."""
    values = {
        "state": "confirmed",
        "effective_month": amendment.effective_month,
        "nature": amendment.nature,
        "treatment": amendment.treatment,
        "code_map": json.dumps(
            [
                {
                    "from_class": weight.from_class, "to_class": weight.to_class, "area": None,
                    "weight": weight.weight, "weight_low": weight.low, "weight_high": weight.high,
                    "weight_basis": weight.basis,
                }
                for weight in amendment.code_map
            ]
        )
        if amendment.code_map
        else None,
    }  # fmt: skip
    _write(connection, change_id, "amended", by=by, note=note, values=values)


def list_decisions(connection: Connection, change_id: int) -> list[dict[str, Any]]:
    """Every decision on a change, the latest first: decision, who, when, why, and the ledger before and after."""
    return fetch_all(
        connection,
        "select decision, decided_by, decided_at, note, before, after from quality.recording_decision"
        " where change_id = %s order by decision_id desc",
        [change_id],
    )


def _write(
    connection: Connection,
    change_id: int,
    decision: str,
    *,
    by: str,
    note: str,
    values: dict[str, Any],
    now: datetime | None = None,
) -> None:
    before = fetch_all(
        connection,
        f"select {_SEEN} as seen from quality.recording_change where change_id = %s for update",  # noqa: S608
        [change_id],
    )
    if not before:
        raise ChangeNotFoundError(f"there is no recording change {change_id}: `saferkc changes --all` lists them")
    # what was found stays in the evidence, so that a later night knows the change again
    connection.execute(
        """
        update quality.recording_change
        set state = %(state)s,
            evidence = jsonb_build_object('found_month', effective_month, 'found_nature', nature)
                || evidence
                || case when %(code_map)s::jsonb is null then '{}'
                    else jsonb_build_object('code_map', %(code_map)s::jsonb) end,
            effective_month = coalesce(%(effective_month)s, effective_month),
            nature = coalesce(%(nature)s, nature),
            treatment = coalesce(%(treatment)s, treatment),
            decided_by = %(by)s, decided_at = coalesce(%(now)s, clock_timestamp()), decision_note = %(note)s
        where change_id = %(id)s
        """,
        {"effective_month": None, "nature": None, "treatment": None, "code_map": None, **values}
        | {"by": by, "note": note, "id": change_id, "now": now},
    )
    connection.execute(
        f"""
        insert into quality.recording_decision (change_id, decision, decided_by, decided_at, note, before, after)
        select change_id, %(decision)s, decided_by, decided_at, %(note)s, %(before)s, {_SEEN}
        from quality.recording_change
        where change_id = %(id)s
        """.encode(),  # noqa: S608 - our own words
        {"decision": decision, "note": note, "before": json.dumps(before[0]["seen"]), "id": change_id},
    )
    close_alert(connection, change_id, values["state"], by=by, note=note, now=now)
