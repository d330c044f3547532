"""When an extract was taken, as names say it, and the order in which arrivals are loaded."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from saferkc.contracts import Contract
from saferkc.loading.arrival import Arrival, extracted_at, named_parts, rank
from saferkc.loading.faults import Refused
from small_contracts import column, small_contract

RECEIVED = datetime(2026, 11, 24, 6, 0)


def feed(**delivery: object) -> Contract:
    return small_contract(
        [column("case_id", primaryKey=True), column("opened_date", "date")],
        extract="changes",
        extract_date="taken",
        patterns=[r"^small_feed.(?P<taken>[0-9T-]+)\.csv$"],
        examples=["small_feed 2017-04-03.csv"],
        period={"grain": "month", "column": "opened_date"},
        **delivery,
    )


def arrival(said: str, number: int = 1, simulated: str = "") -> Arrival:
    return Arrival(number, f"{simulated}small_feed {said}.csv", "0" * 64, None, RECEIVED)


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("20170403", datetime(2017, 4, 3)),
        ("2017-04-03", datetime(2017, 4, 3)),
        ("20170403T0630", datetime(2017, 4, 3, 6, 30)),
        ("2016-02", datetime(2016, 2, 29)),  # of a month: taken when the month is over
        ("2026-11-25", datetime(2026, 11, 25)),  # the agency's clock is ahead of ours
        ("2026-11", datetime(2026, 11, 30)),  # of a month that is not over yet
    ],
)
def test_the_name_says_when_an_extract_was_taken(said: str, taken: datetime) -> None:
    assert extracted_at(feed(), arrival(said)) == taken


@pytest.mark.parametrize("said", ["2017-13-01", "20170431", "20170403T2400", "2026-11-26", "2026-12"])
def test_a_date_that_can_not_be_is_refused(said: str) -> None:
    with pytest.raises(Refused, match="its name"):
        extracted_at(feed(), arrival(said))


def test_the_archive_says_it_where_the_document_does_not() -> None:
    contract = feed().model_copy(deep=True)
    delivery = contract.delivery.model_copy(
        update={"patterns": [r"^cases\.csv$"], "archives": [r"^small_(?P<taken>\d{8})\.zip$"]}
    )
    contract.__dict__["delivery"] = delivery
    member = Arrival(1, "small_20170403.zip!cases.csv", "0" * 64, "cases.csv", RECEIVED)
    assert extracted_at(contract, member) == datetime(2017, 4, 3)
    with pytest.raises(Refused, match="does not say when"):
        extracted_at(contract, Arrival(1, "cases.csv", "0" * 64, None, RECEIVED))


def test_extracts_are_loaded_one_after_another_in_the_order_in_which_they_were_taken() -> None:
    contract = feed()
    said = ["20170405", "20170403T0630", "2017-04-03", "nothing"]
    arrivals = [arrival(text, number) for number, text in enumerate(said)]
    arrivals.append(arrival("20180101", 9, "simulated_"))
    ordered = sorted(arrivals, key=lambda a: (*rank(contract, a), a.arrival_id))
    assert [a.arrival_id for a in ordered] == [9, 3, 2, 1, 0]
    assert all(named_parts(contract, a) == set() for a in arrivals), "none is loaded beside another"
    months = small_contract([column("case_id")], period={"grain": "month", "fixed": "2017-04"})
    assert named_parts(months, Arrival(1, "small_feed.csv", "0" * 64, None, RECEIVED)) == {("all", date(2017, 4, 1))}
