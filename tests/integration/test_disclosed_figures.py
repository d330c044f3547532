"""Pages and messages show no count that their reader may not see: a mart of ten years with a class of few."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pages_helpers import looking
from saferkc.alerts.messages.compose import compose
from saferkc.disclosure import read_rules
from saferkc.recording.charts import picture
from saferkc.recording.charts.model import ChartedSeries
from saferkc.recording.ledger import add_change
from saferkc.recording.telling import tell_people
from saferkc.recording.words import as_shown, counted, share_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, fetch_all

MONTHS = [date(2016 + number // 12, number % 12 + 1, 1) for number in range(124)]
# the newest months, by class: all, the one of many, the one of few
COUNTS = {MONTHS[-1]: (28, 22, 6), MONTHS[-2]: (11, 11, 0), MONTHS[-3]: (4, 4, 0)}
USUAL = (26, 23, 3)
CLASSES = ("all", "residential", "business_and_community")
AS_COUNTED = [
    f"From May 2026 “Residential” rose by {counted(46)} a month while “Business” fell by {counted(2.7)} a month"
    f" ({share_of(2.7, 3.2)} of it)."
]
SAID = "“Residential” rose by about 45 a month while “Business” fell by 7 or fewer a month (share not shown of it)."
_MART = """
create schema if not exists core;
create schema if not exists burglary;
create table core.dim_recording_regime (
    regime_key integer, regime_code text, series text, regime_name text, valid_from date, treatment_of_parent text,
    treatment_of_children text, definition text, caveat_parent text, caveat_children text
);
insert into core.dim_recording_regime (regime_key, regime_code, series) values (1, 'burglary', 'burglary');
create table burglary.burglary_police_monthly (
    geography_type text, geography_code text, geography_name text, borough_code text, ward_code text,
    burglary_class text, month date, regime_key integer, comparability text, caveat text, is_whole_series boolean,
    is_newest_month boolean, is_unfinished boolean, is_simulated boolean, build_id bigint,
    offences_as_recorded integer, offences_comparable numeric, offences_comparable_low numeric,
    offences_comparable_high numeric, unique (geography_type, geography_code, burglary_class, month)
);
insert into quality.build (state, started_at, finished_at) values ('published', now(), now());
"""


@pytest.fixture
def home(settings: Settings) -> Settings:
    """A home with one published mart, and a change in counting that it is asked about."""
    with connect(settings) as connection:
        for statement in _MART.split(";"):
            if statement.strip():
                connection.execute(statement.encode())
        rows = [
            (name, month, count, name == "all", month == MONTHS[-1])
            for month in MONTHS
            for name, count in zip(CLASSES, COUNTS.get(month, USUAL), strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into burglary.burglary_police_monthly values ('borough', 'E09000020', 'Kensington and Chelsea',"
                " 'E09000020', null, %s, %s, 1, 'comparable', '', %s, %s, false, true, 1, %s, %s, %s, %s)",
                [(name, month, whole, newest, *[count] * 4) for name, month, count, whole, newest in rows],
            )
        rules = read_rules(settings.disclosure_file)
        evidence = {
            "sentences": [as_shown(text, rules.strictest("raw.police_offences")) for text in AS_COUNTED],
            "sentences_as_counted": AS_COUNTED, "areas": ["E09000020"], "signals": ["sibling_share"],
            "classes": ["Residential", "Business"],
        }  # fmt: skip
        add_change(connection, {
            "series": "Residential", "parent_series": "Burglary", "feed": "police_offences", "geography": "all",
            "effective_month": datetime.now(UTC).date().replace(day=1), "kind": "recording", "nature": "split",
            "confidence": 0.9, "evidence": evidence, "state": "suspected", "register_id": None, "treatment": "note",
        })  # fmt: skip
        tell_people(connection, {})
    return settings


def without_gate(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules by which everybody sees all, as if there were no gate."""
    text = settings.disclosure_file.read_text()
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "disclosure.yaml").write_text(text.replace("about_people: small_numbers", "about_people: as_counted"))
    monkeypatch.setattr(Settings, "disclosure_file", property(lambda _: folder / "disclosure.yaml"))


def figures(page: str) -> list[list[str]]:
    """The cells of the series' table, the newest month first: as recorded and comparable."""
    rows = re.findall(r'<tr><th scope="row" class="nowrap">[^<]*</th>(.*?)</tr>', page, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row)[:2] for row in rows]


def test_the_table_of_a_series_holds_rounded_counts_and_says_once_what_is_not_shown(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with looking(home, monkeypatch) as partner:
        few = partner.get("/series?name=burglary/business_and_community").text
        many = partner.get("/series?name=burglary/residential").text
        whole = partner.get("/series?name=burglary/all").text
    assert figures(few) == [["[c]", "[c]"]] * 124
    assert "No month is large enough to be shown" in few
    assert few.count("so that nobody can be recognised") == 1
    # by 22 of 28 the rest is 6 or 7
    assert figures(many) == [["[c]", "[c]"], ["10", "10"], ["[c]", "[c]"], *[["25", "25"]] * 121]
    assert figures(whole) == [["30", "30"], ["10", "10"], ["[c]", "[c]"], *[["25", "25"]] * 121]
    with looking(home, monkeypatch, audience="engineers") as engineer:
        few = engineer.get("/series?name=burglary/business_and_community").text
    assert figures(few) == [["6", "6"], ["0", "0"], ["0", "0"], *[["3", "3"]] * 121]


def test_the_chart_of_a_series_is_drawn_of_what_its_reader_may_see(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with looking(home, monkeypatch) as partner:
        svg = partner.get("/series/chart.svg?name=burglary/residential").text
    assert "as recorded between 10" in svg and "and 25" in svg and "rounded to 5" in svg
    with looking(home, monkeypatch, audience="engineers") as engineer:
        svg = engineer.get("/series/chart.svg?name=burglary/residential").text
    assert "as recorded between 4" in svg and "rounded" not in svg


def test_evidence_on_the_pages_says_what_its_reader_may_see_and_an_alert_what_all_may(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with looking(home, monkeypatch) as partner:
        for path in ("/changes", "/changes/1", "/alerts", "/alerts/1"):
            page = partner.get(path).text
            assert SAID in page and "2.7" not in page, path
    with looking(home, monkeypatch, audience="engineers") as engineer:
        assert "fell by about 2.7 a month (84 % of it)" in engineer.get("/changes/1").text
        assert SAID in engineer.get("/alerts/1").text, "an alert is printed in the pack, and sent"


def test_a_mail_and_its_picture_hold_no_count_that_its_reader_may_not_see(
    home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[ChartedSeries] = []

    def draw(series: ChartedSeries, _: str) -> bytes:
        drawn.append(series)
        return b"drawn"

    monkeypatch.setattr(picture, "draw", draw)

    def mail() -> str:
        with connect(home) as connection:
            (row,) = fetch_all(connection, "select * from quality.outbox")
            content, png = compose(connection, home, row)
        assert png == b"drawn"
        return json.dumps(content, ensure_ascii=False)

    said = mail()
    assert SAID in said and "2.7" not in said
    # of the class that the change names: by its newest month the rest of all burglary would be known
    assert {point.as_recorded for point in drawn[-1].points} == {None, 10, 25}
    without_gate(home, tmp_path, monkeypatch)
    assert "fell by about 2.7 a month" in mail()
    assert {point.as_recorded for point in drawn[-1].points} == {4, 11, 22, 23}


def test_ten_years_are_gated_without_solving_a_programme(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a solver milliseconds a figure is arithmetic where classes add up to one whole."""
    monkeypatch.setattr("scipy.optimize.linprog", lambda *_, **__: pytest.fail("a programme was solved"))
    with looking(home, monkeypatch) as partner:
        assert partner.get("/series?name=burglary/residential").status_code == 200


def test_without_a_rule_for_its_reader_a_page_shows_no_figure(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with looking(home, monkeypatch, audience="strangers") as stranger:
        for path in ("/series?name=burglary/residential", "/series/chart.svg?name=burglary/residential", "/changes/1"):
            response = stranger.get(path)
            assert response.status_code == 503
            assert "no audience strangers" in response.text
