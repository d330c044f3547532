"""The five feeds of the police, with the headings of their crime recording system.

A record that the system shows in another state is sent again. Times are local and carry no offset, so the hour that
the clock shows twice is written twice alike.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from saferkc.simulation.agencies import errors
from saferkc.simulation.agencies.versions import SEEN, Feed, stacked
from saferkc.simulation.world import people, places
from saferkc.simulation.world.incidents import incidents
from saferkc.simulation.world.offences import MOVED_BUILDINGS, NEW_BURGLARY_RULE, offences
from saferkc.simulation.world.quotas import Ints
from saferkc.simulation.world.roles import accused, victims
from saferkc.simulation.world.volumes import kinds

_RELABELLED = {2017: date(2017, 4, 1), 2019: date(2019, 3, 1)}
_COMMANDS_MERGED = date(2018, 2, 1)
_CENTRAL_WEST = ("Kensington and Chelsea", "Hammersmith and Fulham", "Westminster")
_OUTCOMES_FRAMEWORK = date(2014, 4, 1)
_STREETS = ("Larkspur Road", "Peregrine Street", "Marigold Gardens", "Foxglove Mews", "Tamarisk Terrace",
            "Bellwether Square", "Harlequin Court", "Sundial Walk", "Lodestar Road", "Quicksilver Street")  # fmt: skip
# the police's words for a kind of place; where there are several, the record's number chooses
PLACES = {
    "street": ("Street", "Street", "Street", "Street", "Alley or footpath"),
    "vehicle_street": ("Street",),
    "park": ("Park or open space",), "public_transport": ("Bus", "Underground station", "Train", "Railway station"),
    "licensed_premises": ("Public house", "Restaurant or cafe", "Nightclub"), "retail": ("Shop",),
    "private_residence": ("Dwelling",), "communal_area": ("Communal area of a block",),
    "outbuilding": ("Shed or outbuilding", "Garage"),
    "business": ("Shop", "Office", "Restaurant or cafe", "Construction site"),
    "community": ("Place of worship", "School or college", "Sports or leisure centre"), "hotel": ("Hotel",),
    "hospital": ("Hospital",), "school": ("School or college",), "police_station": ("Other building",),
    "car_park": ("Car park",), "driveway": ("Driveway",), "other": ("Other", "Other building"),
}  # fmt: skip
_FAMILY = ("Parent", "Child", "Sibling", "Other relative")
RELATIONS = {
    "Family member": _FAMILY, "Acquaintance or friend": ("Acquaintance", "Friend"), "Other known person": ("Other",),
    "Not known": ("Unknown",),
}  # fmt: skip
# how a sanction detection came about, by code; and how other investigations end
_DETECTIONS = (("1", "Charged or summonsed"), ("3", "Adult caution"), ("6", "Penalty notice for disorder"),
               ("2", "Youth caution"), ("7", "Cannabis or khat warning"))  # fmt: skip
_OTHER_ENDS = (("18", "Investigation complete, no suspect identified"),
               ("16", "Evidential difficulties, victim does not support"),
               ("15", "Evidential difficulties, victim supports"), ("8", "Community resolution"))  # fmt: skip


def offence_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Offences as the police sent them, state after state."""
    crimes = offences(seed, year, block, scale)
    first = _offence_rows(crimes, "first_kind", "Live", "entered_on")
    again = _offence_rows(crimes.filter(pl.col("reclassified_on").is_not_null()), "kind", "Live", "reclassified_on")
    gone = _offence_rows(crimes.filter(pl.col("deleted_on").is_not_null()), "kind", "Deleted", "deleted_on")
    return stacked(first, again, gone)


def _offence_rows(crimes: pl.DataFrame, kind: str, status: str, seen: str) -> pl.DataFrame:
    number = crimes["offence"].to_numpy()
    here = [places.borough(block) for block in crimes["block"].unique()]
    borough = here[0] if here else places.borough(0)
    code, name, major, minor = _labels(crimes, kind)
    indoors = crimes["uprn"].to_numpy()
    known = pl.Series(indoors >= 0)
    address = errors.unless(
        places.address_of(np.maximum(indoors, places.uprn(np.zeros_like(indoors), np.zeros_like(indoors)))), ~known
    )
    merged = (crimes["recorded_on"] >= _COMMANDS_MERGED) & (borough.name in _CENTRAL_WEST)
    strand = crimes["hate_strand"].fill_null("") + "," + crimes["second_strand"].fill_null("")
    vehicles = crimes["vehicle_body"].is_not_null()
    place = pl.select(
        pl.when(vehicles & (crimes["location"] == "street"))
        .then(pl.lit("vehicle_street"))
        .otherwise(crimes["location"])
    ).to_series()
    yes = {
        "Domestic Abuse": crimes["is_domestic"],
        "Hate Race": strand.str.contains("race"),
        "Hate Faith": strand.str.contains("faith"),
        "Hate Homophobic": strand.str.contains("homophobic"),
        "Hate Transgender": strand.str.contains("transgender"),
        "Hate Disability": strand.str.contains("disability"),
        "Knife Used": crimes["is_knife_injury"],
        "Knife Threatened": crimes["is_knife_threat"],
        "Injury": crimes["is_injury"],
        "Firearm": crimes["is_firearm"],
        "Shots Fired": crimes["is_shots"],
        "Mobile Phone Taken": crimes["is_phone"],
    }
    return pl.DataFrame(
        {
            "Crime Reference": crimes["reference"],
            "Record Status": pl.repeat(status, crimes.height, dtype=pl.String, eager=True),
            "Recorded Date": crimes["recorded_on"].dt.strftime("%d/%m/%Y"),
            "Reported Date Time": _time(crimes["reported_at"]),
            "Committed From": _time(crimes["from_at"]),
            "Committed To": errors.unless(_time(crimes["to_at"]), ~crimes["has_range"]),
            "Offence Code": code,
            "Offence": name,
            "Major Class": major,
            "Minor Class": minor,
            "Notifiable": pl.repeat("Y", crimes.height, dtype=pl.String, eager=True),
            "Borough": pl.repeat(borough.name, crimes.height, dtype=pl.String, eager=True),
            "Investigating Borough": pl.select(
                pl.when(merged).then(pl.lit("Central West")).otherwise(pl.lit(borough.name))
            ).to_series(),
            **_area(crimes, borough),
            "Street": _one_of(pl.repeat("", crimes.height, eager=True), number, {"": _STREETS}, 41),
            "Location Type": _one_of(place, number, PLACES, 42),
            "Venue": crimes["hospital"],
            "Location UPRN": errors.unless(
                pl.Series(indoors).cast(pl.String), ~known | (errors.chance(number, 1) < errors.UPRN_MISSING)
            ),
            "Location Address": address,
            "Location Postcode": errors.unless(
                errors.postcode(places.postcode_of(np.maximum(indoors, _FIRST)), number, 2), ~known
            ),
            **{heading: _yes(flag) for heading, flag in yes.items()},
            "Walk In Entry": errors.unless(_yes(crimes["is_walk_in"]), crimes["building"].is_null()),
            "Honour Based": _yes(crimes["is_honour"]),
            "FGM": _yes(crimes["kind"] == "female_genital_mutilation"),
            "Forced Marriage": pl.repeat("N", crimes.height, dtype=pl.String, eager=True),
            "Vehicle Body Type": crimes["vehicle_body"],
            SEEN: crimes[seen],
        }
    )


_FIRST = int(places.uprn(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))[0])


def _labels(crimes: pl.DataFrame, kind: str) -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Code, name, major and minor class, in the words of the day of recording and by the rule of that day."""
    generation = pl.select(
        pl.when(crimes["recorded_on"] >= _RELABELLED[2019]).then(2019)
        .when(crimes["recorded_on"] >= _RELABELLED[2017]).then(2017)
        .otherwise(2008)
    ).to_series()  # fmt: skip
    key = crimes[kind] + generation.cast(pl.String)
    building, is_new = crimes["building"].fill_null(""), crimes["recorded_on"] >= NEW_BURGLARY_RULE
    residential = (building == "dwelling") | (is_new & building.is_in(list(MOVED_BUILDINGS)))
    burglary = crimes[kind] == "burglary"
    words = pl.select(
        pl.when(~burglary).then(pl.lit(""))
        .when(~is_new & residential).then(pl.lit("Burglary in a Dwelling"))
        .when(~is_new).then(pl.lit("Burglary in Other Buildings"))
        .when(residential).then(pl.lit("Burglary - Residential"))
        .otherwise(pl.lit("Burglary - Business and Community"))
    ).to_series()  # fmt: skip
    majors = {f"{k.name}{year}": k.labels[year][0] for k in kinds().values() for year in k.labels}
    minors = {f"{k.name}{year}": k.labels[year][1] for k in kinds().values() for year in k.labels}
    code = pl.select(
        pl.when(burglary & is_new).then(pl.when(residential).then(pl.lit("28E")).otherwise(pl.lit("30C")))
        .when(burglary & ~residential).then(pl.lit("30A"))
        .otherwise(crimes[kind].replace_strict({k.name: k.code for k in kinds().values()}))
    ).to_series()  # fmt: skip
    name = crimes[kind].replace_strict({k.name: k.title for k in kinds().values()})
    minor = key.replace_strict(minors)
    return (
        code,
        pl.select(pl.when(burglary).then(words).otherwise(name)).to_series(),
        key.replace_strict(majors),
        pl.select(pl.when(burglary).then(words).otherwise(minor)).to_series(),
    )


def _area(frame: pl.DataFrame, borough: places.Borough) -> dict[str, pl.Series]:
    ward = frame["ward"].to_numpy()
    return {
        "Ward Code": pl.Series(borough.ward_codes[ward].tolist(), dtype=pl.String),
        "Ward": pl.Series(borough.ward_names[ward].tolist(), dtype=pl.String),
        "LSOA Code": places.lsoa_codes(frame["lsoa"].to_numpy()),
    }


def _time(moments: pl.Series) -> pl.Series:
    return moments.dt.strftime("%d/%m/%Y %H:%M")


def _yes(flags: pl.Series) -> pl.Series:
    return pl.select(pl.when(flags).then(pl.lit("Y")).otherwise(pl.lit("N"))).to_series()


def _one_of(words: pl.Series, number: Ints, choices: dict[str, tuple[str, ...]], field: int) -> pl.Series:
    """Another word for each that has choices; which one, follows from the record's number."""
    frame = pl.DataFrame({"word": words, "drawn": errors.chance(number, field)})
    expression = pl.col("word")
    for word, options in choices.items():
        index = (pl.col("drawn") * len(options)).floor().cast(pl.Int64)
        expression = (
            pl.when(pl.col("word") == word).then(pl.lit(pl.Series(options)).gather(index)).otherwise(expression)
        )
    return frame.select(expression.alias("word")).to_series()


_INJURIES = {"wounding": "Serious", "assault_with_injury": "Moderate", "murder": "Fatal"}
# of these the plan says nothing, so what is not known of them changes no figure
_PLAIN = ("any", "owner", "householder")


def victim_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Victims as the police sent them: with a name misspelt at first, put right later, deleted with the offence."""
    found = victims(seed, year, block, scale).join(
        offences(seed, year, block, scale), on="offence", how="left", maintain_order="left"
    )
    number = found["offence"].to_numpy() * 8 + found["number"].to_numpy()
    wrong = (errors.chance(number, 7) < 0.015).to_numpy()
    found = found.with_columns(pl.Series("wrong", wrong), pl.Series("later", 10 + people.below(number, 71, 40)))
    found = found.with_columns((pl.col("entered_on") + pl.duration(days="later")).alias("right_on"))
    rows = _victim_rows(found, number)
    first = rows.with_columns(
        pl.when(found["wrong"])
        .then(pl.col("Victim Surname") + "e")
        .otherwise("Victim Surname")
        .alias("Victim Surname"),
        found["entered_on"].alias(SEEN),
    )
    # nobody puts a name right in a report that was deleted before
    righted = found["wrong"] & (found["right_on"] < found["deleted_on"]).fill_null(True)
    again = rows.with_columns(found["right_on"].alias(SEEN)).filter(righted)
    gone = rows.with_columns(pl.lit("Deleted").alias("Record Status"), found["deleted_on"].alias(SEEN))
    return stacked(first, again, gone.filter(found["deleted_on"].is_not_null()))


def _victim_rows(found: pl.DataFrame, number: Ints) -> pl.DataFrame:
    injury = pl.select(
        pl.when(found["is_knife_threat"])
        .then(pl.lit("Threats only"))
        .otherwise(found["kind"].replace_strict(_INJURIES, default="None"))
    ).to_series()
    plain = found["profile"].is_in(list(_PLAIN))
    return pl.DataFrame(
        {
            "Crime Reference": found["reference"],
            "Victim Number": found["number"].cast(pl.String),
            "Record Status": pl.repeat("Live", found.height, dtype=pl.String, eager=True),
            "Recorded Date": found["recorded_on"].dt.strftime("%d/%m/%Y"),
            **_person(found["person"].to_numpy(), number, "Victim"),
            **_looks(found, number, plain),
            "Relationship to Accused": _one_of(found["relation"], found["offence"].to_numpy(), RELATIONS, 43),
            "Injury Degree": injury,
            "Vulnerable Victim": _yes(found["is_vulnerable"]),
        }
    )


def _person(person: Ints, number: Ints, role: str) -> dict[str, pl.Series]:
    who = people.person_frame(person)
    return {
        f"{role} Forename": errors.name(who["forename"], number, 3),
        f"{role} Surname": errors.name(who["surname"], number, 5),
        f"{role} Date of Birth": errors.born(who["born_on"], number, 6),
    }


def _looks(found: pl.DataFrame, number: Ints, may_be_unknown: pl.Series) -> dict[str, pl.Series]:
    who = people.person_frame(found["person"].to_numpy())
    drawn = errors.chance(number, 8)
    return {
        "Age": errors.unless(found["age"].cast(pl.String), may_be_unknown & (drawn < errors.AGE_UNKNOWN), "0"),
        "Sex": errors.unless(who["sex"].str.slice(0, 1), may_be_unknown & (drawn > 1 - errors.SEX_UNKNOWN), "U"),
        "Ethnic Appearance": errors.unless(
            who["ethnic_appearance"], may_be_unknown & (errors.chance(number, 9) < errors.APPEARANCE_UNKNOWN), "Unknown"
        ),
        "Borough of Residence": who["residence"],
    }


def _accused_of(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    return accused(seed, year, block, scale).join(
        offences(seed, year, block, scale), on="offence", how="left", maintain_order="left"
    )


def accused_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """People accused, as the police sent them from the day on which they were proceeded against."""
    found = _accused_of(seed, year, block, scale)
    number = found["offence"].to_numpy() * 8 + found["number"].to_numpy() + 4
    rows = pl.DataFrame(
        {
            "Crime Reference": found["reference"],
            "Accused Number": found["number"].cast(pl.String),
            "Record Status": pl.repeat("Live", found.height, dtype=pl.String, eager=True),
            "Recorded Date": found["recorded_on"].dt.strftime("%d/%m/%Y"),
            **_person(found["person"].to_numpy(), number, "Accused"),
            **_looks(found, number, found["profile"] == "any"),
            "Relationship to Victim": _one_of(found["relation"], found["offence"].to_numpy(), RELATIONS, 43),
            SEEN: pl.select(pl.max_horizontal(found["charged_on"], found["entered_on"])).to_series(),
        }
    )
    return stacked(rows)


def outcome_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Outcomes: one for each accused, and one for most offences that nobody was accused of (from April 2014)."""
    crimes = offences(seed, year, block, scale).filter(~pl.col("is_no_crime"))
    of_accused = _accused_of(seed, year, block, scale).select("offence", "number")
    detected = (
        crimes.filter("is_detected")
        .join(of_accused, on="offence", how="left", maintain_order="left")
        .with_columns(pl.col("number").alias("accused_number"), pl.col("number").fill_null(1))
    )
    ended = crimes.filter(~pl.col("is_detected")).filter(
        (pl.col("outcome_on") >= _OUTCOMES_FRAMEWORK)
        & pl.Series(errors.chance(crimes.filter(~pl.col("is_detected"))["offence"].to_numpy(), 11) < 0.8)
    )
    ended = ended.with_columns(
        pl.lit(None, dtype=pl.Int64).alias("accused_number"), pl.lit(1, dtype=pl.Int64).alias("number")
    )
    return stacked(
        _outcome_rows(detected, _DETECTIONS, (0.72, 0.84, 0.91, 0.94), "Y"),
        _outcome_rows(ended, _OTHER_ENDS, (0.7, 0.86, 0.96), "N"),
    )


def _outcome_rows(
    crimes: pl.DataFrame, ends: tuple[tuple[str, str], ...], up_to: tuple[float, ...], detection: str
) -> pl.DataFrame:
    drawn = errors.chance(crimes["offence"].to_numpy(), 12)
    index = pl.select(pl.sum_horizontal([(drawn >= limit).cast(pl.Int64) for limit in up_to])).to_series()
    # those who offended for hate were charged, and khat warnings are for drugs
    only_charge = crimes["is_hate"] | ((index == len(up_to)) & (crimes["kind"] != "drug_possession"))
    index = pl.select(pl.when(only_charge & (detection == "Y")).then(0).otherwise(index)).to_series()
    before = crimes["outcome_on"] < _OUTCOMES_FRAMEWORK
    code, words = (pl.Series([end[n] for end in ends]).gather(index) for n in (0, 1))
    return pl.DataFrame(
        {
            "Crime Reference": crimes["reference"],
            "Outcome Number": crimes["number"].cast(pl.String),
            "Record Status": pl.repeat("Live", crimes.height, dtype=pl.String, eager=True),
            "Accused Number": crimes["accused_number"].cast(pl.String),
            "Outcome Code": errors.unless(code, before, "SD"),
            "Outcome": errors.unless(words, before, "Sanction detection"),
            "Sanction Detection": pl.repeat(detection, crimes.height, dtype=pl.String, eager=True),
            "Outcome Date": crimes["outcome_on"].dt.strftime("%d/%m/%Y"),
            SEEN: pl.select(pl.max_horizontal(crimes["outcome_on"], crimes["entered_on"])).to_series(),
        }
    )


def asb_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Calls about anti-social behaviour as the police sent them; some are graded anew within days."""
    calls = incidents(seed, year, block, scale)
    number = calls["incident"].to_numpy()
    of_day = pl.int_range(pl.len()).over(pl.col("reported_at").dt.date()) + 1 + block * 400
    indoors = calls["uprn"].to_numpy()
    known = pl.Series(indoors >= 0)
    borough = places.borough(block)
    line = calls["line"].to_numpy()
    rows = pl.DataFrame(
        {
            "Incident Reference": calls.select(
                of_day.cast(pl.String) + "/" + pl.col("reported_at").dt.strftime("%d%b%y").str.to_uppercase()
            ).to_series(),
            "Record Status": pl.repeat("Live", calls.height, dtype=pl.String, eager=True),
            "Reported Date Time": _time(calls["reported_at"]),
            "ASB Type": calls["type"],
            **_area(calls, borough),
            "Location Type": _one_of(calls["location"], number, PLACES, 42),
            "Caller Phone": errors.unless(
                errors.phone(people.phones(np.maximum(line, 0)), number, 13), pl.Series(line < 0)
            ),
            "Location UPRN": errors.unless(
                pl.Series(indoors).cast(pl.String), ~known | (errors.chance(number, 1) < errors.UPRN_MISSING)
            ),
            "Location Address": errors.unless(places.address_of(np.maximum(indoors, _FIRST)), ~known),
            "Location Postcode": errors.unless(
                errors.postcode(places.postcode_of(np.maximum(indoors, _FIRST)), number, 2), ~known
            ),
            "Vulnerable Caller": _yes(calls["is_vulnerable"]),
        }
    )
    regraded = calls["regraded_on"].is_not_null()
    first = rows.with_columns(
        pl.when(regraded & (pl.col("ASB Type") == "Personal"))
        .then(pl.lit("Nuisance"))
        .otherwise("ASB Type")
        .alias("ASB Type"),
        pl.when(regraded).then(pl.lit("N")).otherwise("Vulnerable Caller").alias("Vulnerable Caller"),
        calls["entered_on"].alias(SEEN),
    )
    again = rows.with_columns(calls["regraded_on"].alias(SEEN)).filter(regraded)
    return stacked(first, again)


FEEDS = (
    Feed("police_offences", "police", ("Crime Reference",), offence_states),
    Feed("police_victims", "police", ("Crime Reference", "Victim Number"), victim_states),
    Feed("police_accused", "police", ("Crime Reference", "Accused Number"), accused_states),
    Feed("police_outcomes", "police", ("Crime Reference", "Outcome Number"), outcome_states),
    Feed("police_asb_incidents", "police", ("Incident Reference",), asb_states),
)
