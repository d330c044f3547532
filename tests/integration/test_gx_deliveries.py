"""The checks of a delivery's rows against its contract, by Great Expectations inside the database."""

from __future__ import annotations

import logging

import pytest
from publishing_helpers import deliver, scalar
from saferkc.contracts import load_contracts
from saferkc.publishing import build_data_docs, check_deliveries
from saferkc.publishing.delivery_checks import suite_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

FEED = "police_open_street"
# Words that no rule, page or text of the project uses: a home holds those too.
SECRET = "Mr Quorvath of 12 Vexmoor Road"  # noqa: S105


def add_rows(connection: Connection, delivery_id: int, rows: int, **faults: object) -> None:
    """Put ``rows`` good rows of a delivery into raw, the first of them with ``faults``."""
    connection.execute(
        """
        insert into raw.police_open_street (delivery_id, line_number, row_hash, occurrence,
            crime_id_police, month, reported_by, longitude, latitude, location, lsoa_code, crime_type)
        select %(id)s, g, md5(%(id)s || '.' || g)::uuid, 1,
            md5('a') || md5(g::text), '2017-04-01', 'Metropolitan Police Service', -0.2, 51.5, 'On or near Road',
            'E01002854', 'Burglary'
        from generate_series(1, %(rows)s) as g
        """,
        {"id": delivery_id, "rows": rows},
    )
    for column, value in faults.items():
        connection.execute(
            f"update raw.police_open_street set {column} = %s where delivery_id = %s and line_number = 1".encode(),
            (value, delivery_id),
        )
    connection.commit()


def failed(settings: Settings) -> object:
    return scalar(
        settings,
        "select array_agg(delivery_id || ' ' || severity || ': ' || check_name order by check_result_id)"
        " from quality.check_result where not success",
    )


def test_good_deliveries_pass_and_every_check_is_entered_for_each(settings: Settings) -> None:
    with connect(settings) as connection:
        ids = [deliver(connection, rows=5), deliver(connection, rows=7)]
        for delivery_id, rows in zip(ids, (5, 7), strict=True):
            add_rows(connection, delivery_id, rows)
    summary = check_deliveries(settings, FEED, ids)
    assert (summary.deliveries, summary.failed, summary.warnings) == (2, 0, 0)
    checks = len(suite_of(load_contracts(settings.contracts_dir)[FEED], ids))
    assert summary.checks == 2 * checks
    assert scalar(settings, "select count(*) from quality.check_result where success") == 2 * checks
    assert failed(settings) is None


def test_nothing_to_check_costs_nothing(settings: Settings) -> None:
    assert check_deliveries(settings, FEED, []).checks == 0


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("reported_by", None, "error: reported_by is given"),
        ("latitude", 89.0, "error: latitude lies within its limits"),
        ("lsoa_code", SECRET, "error: lsoa_code is written as agreed"),
        ("crime_id_police", SECRET * 5, "error: crime_id_police is not too long"),
        ("crime_type", SECRET, "warning: crime_type_known"),
    ],
)
def test_a_faulty_row_is_found_in_its_delivery_and_its_value_stays_inside(
    settings: Settings,
    column: str,
    value: object,
    expected: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with connect(settings) as connection:
        good, bad = deliver(connection, rows=3), deliver(connection, rows=3)
        add_rows(connection, good, 3)
        add_rows(connection, bad, 3, **{column: value})
    summary = check_deliveries(settings, FEED, [good, bad])
    assert failed(settings) == [f"{bad} {expected}"]
    assert summary.failed + summary.warnings == 1
    observed = "select observed from quality.check_result where not success"
    assert 1 in dict(scalar(settings, observed)).values()  # type: ignore[call-overload]
    build_data_docs(settings, 1)
    written = "".join(path.read_text(errors="replace") for path in settings.home.rglob("*") if path.is_file())
    with connect(settings) as connection:
        written += str(connection.execute("select * from quality.check_result").fetchall())
        written += str(connection.execute("select * from quality.alert").fetchall())
    assert SECRET not in written
    assert not [word for word in (SECRET, "Quorvath", "Vexmoor") if word in caplog.text]
    assert capsys.readouterr() == ("", "")


def test_a_record_that_stands_twice_is_found_also_across_deliveries(settings: Settings) -> None:
    with connect(settings) as connection:
        old, new = deliver(connection, rows=2), deliver(connection, rows=2)
        for delivery_id in (old, new):
            connection.execute(
                "insert into quality.delivery_coverage values (%s, %s, 'metropolitan', '2017-04-01', %s)",
                (delivery_id, FEED, delivery_id == new),
            )
        add_rows(connection, old, 2)
        add_rows(connection, new, 2)
        connection.execute("update raw.police_open_street set row_hash = md5('same ' || line_number)::uuid")
    check_deliveries(settings, FEED, [new])
    assert failed(settings) == [f"{new} error: every record stands once"]
    with connect(settings) as connection:
        connection.execute(
            "update raw.police_open_street set withdrawn_delivery_id = %s where delivery_id = %s", (new, old)
        )
    check_deliveries(settings, FEED, [new])
    assert failed(settings) is None


def test_rows_that_do_not_equal_the_account_are_found_and_the_alert_closes_when_mended(settings: Settings) -> None:
    with connect(settings) as connection:
        delivery_id = deliver(connection, rows=3)
        add_rows(connection, delivery_id, 2)
    check_deliveries(settings, FEED, [delivery_id])
    assert failed(settings) == [f"{delivery_id} error: rows equal the account"]
    assert scalar(settings, "select state from quality.alert") == "open"
    with connect(settings) as connection:
        connection.execute("update quality.delivery set rows_in = 2, rows_admitted = 2")
    check_deliveries(settings, FEED, [delivery_id])
    assert scalar(settings, "select state from quality.alert") == "resolved"


def test_a_label_spelt_another_way_is_no_new_one(settings: Settings) -> None:
    feed = "mps_recorded_crime"
    with connect(settings) as connection:
        delivery_id = deliver(connection, feed=feed, rows=3)
        labels = ("burglary  -  RESIDENTIAL", "Motor Vehicle Interference and Tampering", "Theft of dreams")
        for line, label in enumerate(labels, 1):
            connection.execute(
                "insert into raw.mps_recorded_crime (delivery_id, line_number, record_key, row_hash, occurrence,"
                " geography_level, borough_name, major_category, minor_category, month, offence_count)"
                " values (%s, %s, gen_random_uuid(), gen_random_uuid(), 1, 'borough', 'Camden', 'Burglary', %s,"
                " '2017-04-01', 1)",
                (delivery_id, line, label),
            )
    check_deliveries(settings, feed, [delivery_id])
    assert failed(settings) == [f"{delivery_id} warning: minor_category_known"]
    observed = "select observed ->> 'observed_value' from quality.check_result where not success"
    assert scalar(settings, observed) == "1.0"


def test_every_contract_makes_a_suite_that_the_database_can_answer(settings: Settings) -> None:
    for feed in load_contracts(settings.contracts_dir):
        with connect(settings) as connection:
            delivery_id = deliver(connection, feed=feed)
        summary = check_deliveries(settings, feed, [delivery_id])
        assert (feed, summary.reasons) == (feed, [])
        assert summary.checks > 2


def add_records(connection: Connection, feed: str, delivery_id: int, *records: dict[str, object]) -> None:
    """Put records of a feed with a key into raw; what all rows need is filled in."""
    for line, record in enumerate(records, 1):
        row = {"delivery_id": delivery_id, "line_number": line, "occurrence": 1, "period": "2017-04-01"} | record
        row.setdefault("record_key", f"00000000-0000-0000-0000-{line:012}")
        row.setdefault("row_hash", row["record_key"])
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        connection.execute(f"insert into raw.{feed} ({names}) values ({marks})".encode(), list(row.values()))
    connection.commit()


def victim(number: int, **columns: object) -> dict[str, object]:
    return {
        "offence_id_police": "0000001/17",
        "victim_number": number,
        "record_status": "Live",
        "recorded_date": "2017-04-01",
        "victim_token": f"k1:{number:032x}",
    } | columns


def test_nothing_of_a_person_leaves_the_checks(
    settings: Settings, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Were the loader to let names through, the checks would say so and show none of them."""
    caplog.set_level(logging.DEBUG)
    with connect(settings) as connection:
        delivery_id = deliver(connection, feed="police_victims", rows=5)
        add_records(
            connection,
            "police_victims",
            delivery_id,
            victim(1),
            victim(2, victim_token=SECRET),
            victim(3, victim_token=f"k1:{'0' * 32}:{SECRET}", ethnic_appearance=SECRET, sex_code=SECRET),
            victim(4, residence_borough_name=SECRET, relationship_to_accused=SECRET, age=222),
            victim(5, offence_id_police=SECRET, injury_degree=f"={SECRET}"),
        )
    summary = check_deliveries(settings, "police_victims", [delivery_id])
    found = failed(settings)
    assert isinstance(found, list)
    assert {name.split(" ", 1)[1] for name in found} == {
        "error: victim_token holds tokens only",
        "error: age lies within its limits",
        "error: sex_code is written as agreed",
        "error: offence_id_police is written as agreed",
        "error: injury_degree is written as agreed",
        "error: injury_degree is not too long",
        "warning: sex_code_known",
        "warning: ethnic_appearance_known",
        "warning: residence_borough_name_known",
        "warning: relationship_to_accused_known",
        "warning: injury_degree_known",
    }
    assert scalar(
        settings, "select observed from quality.check_result where check_name like 'victim_token holds%'"
    ) == {"observed_value": 2}
    build_data_docs(settings, 1)
    written = "".join(path.read_text(errors="replace") for path in settings.home.rglob("*") if path.is_file())
    written += str(summary)
    with connect(settings) as connection:
        for table in ("check_result", "alert", "delivery"):
            written += str(connection.execute(f"select t::text from quality.{table} as t".encode()).fetchall())
    assert not [word for word in (SECRET, "Quorvath", "Vexmoor") if word in written]
    assert not [word for word in (SECRET, "Quorvath", "Vexmoor") if word in caplog.text]
    assert capsys.readouterr() == ("", "")


def test_a_record_that_is_current_in_two_extracts_is_found(settings: Settings) -> None:
    feed = "police_victims"
    with connect(settings) as connection:
        old, new = (deliver(connection, feed=feed, rows=2, scope="police") for _ in range(2))
        add_records(connection, feed, old, victim(1), victim(2))
        add_records(connection, feed, new, victim(1, age=30), victim(2, age=30))
        connection.execute(
            "update raw.police_victims set withdrawn_delivery_id = %s where delivery_id = %s and victim_number = 1",
            (new, old),
        )
    check_deliveries(settings, feed, [new])
    assert failed(settings) == [f"{new} error: every record stands once"]


def test_each_of_several_codes_in_a_cell_is_looked_up(settings: Settings) -> None:
    feed = "angelou_referrals"
    with connect(settings) as connection:
        delivery_id = deliver(connection, feed=feed, rows=2)
        records = [
            {"referral_id_angelou": f"ANG-000{n}", "referred_date": "2017-04-01", "strands": strands}
            for n, strands in enumerate(["Domestic abuse|stalking AND harassment", "Sexual violence"])
        ]
        add_records(connection, feed, delivery_id, *records)
    assert check_deliveries(settings, feed, [delivery_id]).warnings == 0
    with connect(settings) as connection:
        connection.execute("update raw.angelou_referrals set strands = 'Domestic abuse|Something new'")
    check_deliveries(settings, feed, [delivery_id])
    assert failed(settings) == [f"{delivery_id} warning: strands_known"]
