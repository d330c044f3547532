"""Charts from the database: breaks stand where the rules changed, and the figures are those of the marts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from conftest import PUBLISHED_MARTS
from marts_helpers import query
from message_receivers import mail_server
from PIL import Image
from saferkc.alerts.sending import Sending, send_messages
from saferkc.cli.show import PictureError, show_series
from saferkc.recording.charts.catalogue import Catalogue, UnknownSeriesError, read_catalogue
from saferkc.recording.charts.gated import read_gated
from saferkc.recording.charts.model import ChartedSeries
from saferkc.recording.charts.picture import draw
from saferkc.recording.charts.read import UnknownAreaError, read_series
from saferkc.recording.decisions import decide
from saferkc.recording.ledger import add_change
from saferkc.recording.telling import tell_people
from saferkc.settings import MessageSettings, Settings
from saferkc.warehouse.connection import connect

HERE = "E09000020"
RULE = date(2017, 4, 1)


@pytest.fixture(scope="module")
def published(published_warehouse: Settings) -> Settings:
    return published_warehouse


@pytest.fixture(scope="module")
def catalogue(published: Settings) -> Catalogue:
    with connect(published) as connection:
        return read_catalogue(connection)


def charted(settings: Settings, catalogue: Catalogue, name: str, area: str | None = None) -> ChartedSeries:
    with connect(settings) as connection:
        return read_series(connection, settings, catalogue.find(name), area=area)


def test_every_published_monthly_mart_is_found_with_its_classes(published: Settings, catalogue: Catalogue) -> None:
    # written out: by which columns a mart is found is what is tested
    assert {series.mart.table for series in catalogue.series} >= set(PUBLISHED_MARTS)
    found = {series.class_name for series in catalogue.series if series.mart.table == "hate_crime_monthly"}
    classes = query(published, "select distinct hate_crime_class from hate_crime.hate_crime_monthly")
    assert found == {row[0] for row in classes}
    measures = {series.mart.table: series.mart.measure for series in catalogue.series}
    assert (measures["burglary_monthly"], measures["asb_monthly"]) == ("offences", "records")


def test_a_class_of_burglary_breaks_in_april_2017_and_all_burglary_does_not(
    published: Settings, catalogue: Catalogue
) -> None:
    residential = charted(published, catalogue, "burglary_police/residential")
    assert residential.gaps() == (RULE,)
    (rule,) = [mark for mark in residential.marks_in_sight() if mark.kind == "break"]
    assert "Do not compare dwelling with residential" in rule.words
    assert residential.is_simulated
    assert residential.build_id is not None

    everything = charted(published, catalogue, "burglary_police/all")
    assert everything.gaps() == ()
    assert [mark.start for mark in everything.marks_in_sight() if mark.kind == "bridge"] == [RULE]


def test_figures_are_those_of_the_mart_as_recorded_and_by_the_rule_of_today(
    published: Settings, catalogue: Catalogue
) -> None:
    series = charted(published, catalogue, "burglary_police/residential")
    rows = query(
        published,
        f"""
        select month, offences_as_recorded, offences_comparable::float from burglary.burglary_police_monthly
        where geography_code = '{HERE}' and burglary_class = 'residential'
            and not is_unfinished order by month
        """,
    )
    assert [(p.month, p.as_recorded, p.comparable) for p in series.points] == rows
    assert any(point.is_restated for point in series.points if point.month < RULE)
    assert not any(point.is_restated for point in series.points if point.month >= RULE)


def test_all_offences_break_at_each_rule_that_widened_them(published: Settings, catalogue: Catalogue) -> None:
    shown = charted(published, catalogue, "partnership/all")
    assert shown.gaps() == (date(2013, 4, 1), date(2015, 4, 1))
    without = charted(published, catalogue, "partnership/without_fraud")
    assert without.gaps() == (date(2015, 4, 1),)


def test_hate_crime_has_one_rule_and_the_ramp_as_a_note(published: Settings, catalogue: Catalogue) -> None:
    series = charted(published, catalogue, "hate_crime/hate_crime")
    assert series.gaps() == ()
    (ramp,) = series.marks_in_sight()
    assert (ramp.kind, ramp.start, ramp.end) == ("note", date(2014, 1, 1), date(2018, 12, 1))
    assert series.points[-1].comparability == "provisional"


def test_a_ward_is_found_by_its_name_and_its_small_numbers_are_drawn(published: Settings, catalogue: Catalogue) -> None:
    code, name = query(published, "select ward_code, ward_name from burglary.burglary_police_monthly"
                                  " where ward_name like 'Gol%' limit 1")[0]  # fmt: skip
    by_name = charted(published, catalogue, "burglary_police/residential", name.upper())
    assert by_name == charted(published, catalogue, "burglary_police/residential", code)
    assert by_name.area == f"{name} ward"
    assert by_name.gaps() == (RULE,)
    redrawn = [mark for mark in by_name.marks_in_sight() if mark.start == date(2014, 5, 1)]
    # records are put into today's wards by their small area
    assert [mark.kind for mark in redrawn] == ["bridge"]
    with pytest.raises(UnknownAreaError, match=f"did you mean {name}"):
        charted(published, catalogue, "burglary_police/residential", "Goldborne")


def test_a_change_of_the_ledger_is_a_mark_or_is_said_of_the_entry_that_knows_it(
    published: Settings, catalogue: Catalogue
) -> None:
    change = {
        "series": "Burglary - Residential", "parent_series": "Burglary", "feed": "police_offences", "geography": "all",
        "effective_month": date(2016, 5, 1), "kind": "recording", "nature": "split", "confidence": 0.8,
        "evidence": {"sentences": ["Residential gained 20 a month."], "areas": [HERE]}, "state": "suspected",
        "register_id": None, "treatment": "bridge",
    }  # fmt: skip
    elsewhere = change | {"geography": "E09000033", "evidence": {"areas": ["E09000033"]}}
    real = change | {"kind": "real"}
    published_feed = change | {"feed": "mps_recorded_crime"}
    known = change | {"effective_month": RULE, "register_id": "burglary_2017", "state": "registered"}
    with connect(published) as connection:
        for values in (change, elsewhere, real, published_feed, known):
            add_change(connection, values)
        numbers = [row[0] for row in connection.execute("select change_id from quality.recording_change order by 1")]
    try:
        series = charted(published, catalogue, "burglary_police/residential")
        (found,) = [mark for mark in series.marks_in_sight() if mark.kind == "suspected"]
        assert found.start == date(2016, 5, 1)
        assert "Residential gained 20 a month." in found.words
        (rule,) = [mark for mark in series.marks_in_sight() if mark.kind == "break"]
        assert "The figures show it too" in rule.words
        with connect(published) as connection:
            decide(connection, numbers[0], "rejected", by="analyst", note="a slip")
        series = charted(published, catalogue, "burglary_police/residential")
        assert {mark.kind for mark in series.marks_in_sight() if mark.start == date(2016, 5, 1)} == {"rejected"}
        assert series.gaps() == (RULE,)
        # whoever rejects an entry of the register for this borough takes the gap away
        with connect(published) as connection:
            decide(connection, numbers[-1], "rejected", by="analyst", note="counted so before")
        assert charted(published, catalogue, "burglary_police/residential").gaps() == ()
    finally:
        with connect(published) as connection:
            connection.execute("truncate quality.recording_change cascade")


def test_a_mail_about_a_change_has_the_chart_of_its_published_series_within(
    published: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    found = datetime(2016, 7, 5, 3, tzinfo=UTC)
    try:
        with connect(published) as connection:
            add_change(connection, {
                "series": "Burglary - Residential", "parent_series": "Burglary", "feed": "police_offences",
                "geography": "all", "effective_month": date(2016, 5, 1), "kind": "recording", "nature": "split",
                "confidence": 0.8, "evidence": {"sentences": ["Residential gained some."], "areas": [HERE]},
                "state": "suspected", "register_id": None, "treatment": "bridge",
            })  # fmt: skip
            connection.execute("update quality.recording_change set detected_at = %s", (found,))
            tell_people(connection, {}, now=found)
        with mail_server(tmp_path) as server:
            messages = MessageSettings(
                mail_url=server.url, mail_ca=server.ca, mail_to={"community_safety_team": ("team@example.org",)}
            )
            assert send_messages(replace(published, messages=messages), now=found) == Sending(sent=1)
        ((_, mail),) = server.taken
        (part,) = (part for part in mail.walk() if part.get_content_maintype() == "image")
        assert (part.get_content_type(), part.get_content_disposition()) == ("image/png", "inline")
        rich = mail.get_body(("html",))
        assert rich is not None
        assert f'<img src="cid:{part["Content-ID"].strip("<>")}"' in rich.get_content()
        # that of the class that changed, as the team may see it, and not of all burglary, which shows no change
        with connect(published) as connection:
            series = catalogue.find("burglary_police/residential")
            shown = read_gated(connection, published, series, audience="community_safety_team")
        assert "suspected" in {mark.kind for mark in shown.marks_in_sight()}
        with Image.open(BytesIO(part.get_content())) as sent, Image.open(BytesIO(draw(shown, "png"))) as drawn:
            assert (sent.format, sent.size, sent.tobytes()) == ("PNG", drawn.size, drawn.tobytes())
    finally:
        with connect(published) as connection:
            connection.execute("truncate quality.recording_change, quality.outbox cascade")


def test_people_see_a_series_or_get_its_picture_or_are_told_which_there_are(
    published: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"mart": None, "area": None, "since": date(2016, 1, 1), "until": None}
    show_series(published, "burglary_police/residential", picture=None, **asked)  # type: ignore[arg-type]
    shown = capsys.readouterr().out
    assert "SIMULATED DATA" in shown
    assert "┊" in shown
    assert "1 April 2017, counted differently" in shown

    show_series(published, None, picture=None, **asked)  # type: ignore[arg-type]
    assert "burglary_police/residential" in capsys.readouterr().out
    for name in ("residential.svg", "residential.PNG"):
        show_series(published, "burglary_police/residential", picture=tmp_path / name, **asked)  # type: ignore[arg-type]
        assert (tmp_path / name).stat().st_size > 10_000
    with pytest.raises(PictureError, match=r"\.svg or \.png"):
        show_series(published, "burglary_police/residential", picture=tmp_path / "a.gif", **asked)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="can't be written"):
        show_series(published, "burglary/all", picture=tmp_path / "no" / "a.svg", **asked)  # type: ignore[arg-type]
    with pytest.raises(UnknownSeriesError, match="did you mean"):
        show_series(published, "burglary/residental", picture=None, **asked)  # type: ignore[arg-type]
