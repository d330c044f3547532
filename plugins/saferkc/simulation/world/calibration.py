"""The plan's figures, computed from the world's truth, and those that no world of ours can hold.

The financial year is that of recording. What the plan leaves open is read thus: serious violence is homicide and
wounding that is not domestic; a repeat caller is a telephone line that called twice or more in the year; neighbours
are the boroughs that share a border or a bridge; detections are counted by the year of the offence (where the plan
counts few of them, the outcome falls into the same year).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from saferkc.simulation.world import clock, people
from saferkc.simulation.world.incidents import incidents
from saferkc.simulation.world.offences import VIOLENCE_WITH_INJURY, offences
from saferkc.simulation.world.places import ward_weights
from saferkc.simulation.world.roles import HF, NEIGHBOURS, WESTMINSTER, accused, victims
from saferkc.simulation.world.services import EXPLOITATION, clients, referrals
from saferkc.simulation.world.volumes import kinds

YEAR = 2016
HOME = "Kensington and Chelsea"
_SOUTHERN = ("Brompton and Hans Town", "Royal Hospital", "Stanley", "Chelsea Riverside", "Redcliffe")

NOT_HELD: dict[str, str] = {
    "population": "given by the reference feeds (mid-year estimates of LSOAs), not by the agencies",
    "area_sq_miles": "given by boundaries, which no agency sends",
    "lsoa_count": "given by the reference feeds",
    "lsoa_most_deprived": "given by the reference feeds (indices of deprivation)",
    "cpt_officers": "a number of officers, which is in no agency's records",
    "owl_members": "members of Online Watch Link, which is no agency of ours",
    "mopac_grant_2013_17": "a grant, set out in the budget",
    "mopac_grant_2018_19": "a grant, set out in the budget",
    "mopac_grant_smoothed": "follows from two grants",
    "mopac_reduction_total": "follows from two grants",
    "mopac_reduction_smoothed": "follows from two grants",
    "burglary_concern": "a survey of residents, which no agency sends",
    "vawg_da_repeat_rank": "needs the other 32 boroughs as they were; the world's other boroughs are alike",
    "asb_rank": "needs the other 32 boroughs as they were; the world's other boroughs are alike",
    "tfmv_rate_rank": "needs the other 32 boroughs as they were, and their populations",
    "hate_change_1y_london": "needs all of London as it was",
    "vwi_non_domestic_share_london": "needs all of London as it was",
}
CONTRADICTORY: dict[str, str] = {
    "vawg_da_share_violence": "the four shares of domestic abuse add up to 105 %; the world holds the three smaller "
    "ones and gives violence the rest (79 %)",
    "vwi_hate_share": "46 offences are 5 % of every total that the figures for August allow; the world holds the 46",
    "tfmv_accused_kc_share": "25 of 40 is 62.5 %, which the plan prints as 62; half is rounded up elsewhere",
}


def figures(seed: int) -> dict[str, float]:
    """Compute every figure of the plan that the world holds, by ``figure_id``, not rounded; needs scale 1."""
    values: dict[str, float] = {}
    for part in (_all, _vawg, _services, _burglary, _youth, _asb, _hate, _with_injury, _from_vehicles):
        values |= part(_Year(seed))
    return values


class _Year:
    """What the world holds of some years, with the people of 2016/17 joined to their offences."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.crimes = self.of(YEAR)
        wards = pl.DataFrame(
            {"ward": list(range(18)), "ward_name": list(_ward_names())}, schema_overrides={"ward": pl.Int64}
        )
        self.crimes = self.crimes.join(wards, on="ward", how="left")
        self.victims = self._with_people(victims(seed, YEAR))
        self.accused = self._with_people(accused(seed, YEAR))

    def of(self, year: int) -> pl.DataFrame:
        """The true offences of a year."""
        return offences(self.seed, year).filter(~pl.col("is_no_crime"))

    def _with_people(self, found: pl.DataFrame) -> pl.DataFrame:
        number = found["person"].to_numpy()
        who = people.person_frame(number).select("sex", "ethnic_appearance", "residence")
        return pl.concat([found.select("offence", "person", "age", "relation"), who], how="horizontal").join(
            self.crimes, on="offence", how="inner"
        )


def _ward_names() -> tuple[str, ...]:
    return tuple(ward_weights())


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    return 100 * frame.filter(condition).height / frame.height


def _change(now: float, before: float) -> float:
    return 100 * (now / before - 1)


def _rank(frame: pl.DataFrame, column: str, name: str) -> int:
    order = frame.group_by(column).len().sort("len", descending=True)[column].to_list()
    return order.index(name) + 1


def _boroughs(frame: pl.DataFrame) -> int:
    return frame.filter(pl.col("residence") != "Outside London")["residence"].n_unique()


_VWI = pl.col("kind").is_in(VIOLENCE_WITH_INJURY)
_ND_VWI = _VWI & ~pl.col("is_domestic")
_SEXUAL = pl.col("kind").is_in(["rape", "other_sexual"])
_SERIOUS = pl.col("kind").is_in(["wounding", "murder"]) & ~pl.col("is_domestic")
_VIOLENCE = pl.col("kind").is_in([k for k, v in kinds().items() if v.labels[2008][0] == "Violence Against the Person"])
_THEFT_AND_HANDLING = pl.col("kind").is_in([k for k, v in kinds().items() if v.labels[2008][0] == "Theft and Handling"])


def _all(year: _Year) -> dict[str, float]:
    totals = {y: year.of(y).height for y in (2006, 2012, 2013, 2014, 2015, 2016)}
    rises = 0
    while rises < 4 and totals[YEAR - rises] > totals[YEAR - rises - 1]:
        rises += 1
    before = year.of(YEAR - 1)
    values: dict[str, float] = {
        "crime_total": totals[YEAR],
        "crime_change_10y": _change(totals[YEAR], totals[2006]),
        "crime_up_three_years": rises,
    }
    for name, ward in {
        "brompton_and_hans_town": "Brompton and Hans Town", "colville": "Colville", "royal_hospital": "Royal Hospital",
        "norland": "Norland", "st_helens": "St Helen's", "holland": "Holland",
    }.items():  # fmt: skip
        values[f"crime_ward_share_{name}"] = _share(year.crimes, pl.col("ward_name") == ward)
    for name, condition in {
        "theft_from_motor_vehicle": pl.col("kind") == "theft_from_vehicle",
        "theft_of_motor_vehicle": pl.col("kind") == "theft_of_vehicle",
        "violence_with_injury": _VWI,
        "robbery": pl.col("kind").str.starts_with("robbery"),
        "drug_offences": pl.col("kind").str.starts_with("drug"),
        "burglary": pl.col("kind") == "burglary",
        "theft_person": pl.col("kind") == "theft_person",
        "theft_and_handling": _THEFT_AND_HANDLING,
    }.items():
        now, then = year.crimes.filter(condition).height, before.filter(condition).height
        values[f"crime_direction_{name}"] = (now > then) - (now < then)
    return values


def _vawg(year: _Year) -> dict[str, float]:
    domestic = year.crimes.filter("is_domestic")
    sexual = year.crimes.filter(_SEXUAL)
    five = year.of(YEAR - 4)
    da_accused = year.accused.filter("is_domestic")
    march = year.victims.filter(
        pl.col("is_domestic")
        & (pl.col("recorded_on") >= date(2017, 3, 1))
        & (pl.col("recorded_on") <= date(2017, 3, 31))
    )
    earlier = set(year.victims.filter(pl.col("recorded_on") < date(2017, 3, 1))["person"])
    month_before = year.of(YEAR - 1).filter(pl.col("recorded_on") >= date(2016, 3, 1))["offence"]
    earlier |= set(victims(year.seed, YEAR - 1).filter(pl.col("offence").is_in(month_before.implode()))["person"])
    persons = set(march["person"])
    return {
        "vawg_da_change_5y": _change(domestic.height, five.filter("is_domestic").height),
        "vawg_so_change_5y": _change(sexual.height, five.filter(_SEXUAL).height),
        "vawg_da_share_violence": _share(domestic, _VIOLENCE),
        "vawg_da_share_sexual": _share(domestic, _SEXUAL),
        "vawg_da_share_property": _share(
            domestic, pl.col("kind").is_in(["robbery_personal", "burglary", "other_theft"])
        ),
        "vawg_da_share_criminal_damage": _share(domestic, pl.col("kind") == "damage_dwelling"),
        "vawg_da_serious_violence": _share(domestic.filter(_VIOLENCE), _VWI),
        "vawg_so_detection": _share(sexual, pl.col("is_detected")),
        "vawg_rape_detection": _share(sexual.filter(kind="rape"), pl.col("is_detected")),
        "vawg_da_detection": _share(domestic, pl.col("is_detected")),
        "vawg_da_accused_partner": _share(da_accused, pl.col("relation").is_in(["Current partner", "Ex-partner"])),
        "vawg_da_accused_family": _share(da_accused, pl.col("relation") == "Family member"),
        "vawg_da_repeat_victims": 100 * len(persons & earlier) / len(persons),
        "police_trafficking": year.crimes.filter(kind="trafficking").height,
        "police_trafficking_previous": year.of(YEAR - 1).filter(kind="trafficking").height,
        "police_hbv": year.crimes.filter("is_honour").height,
        "police_fgm": year.crimes.filter(kind="female_genital_mutilation").height,
    }


def _services(year: _Year) -> dict[str, float]:
    made = referrals(year.seed, YEAR)
    strand = made.explode("strands")["strands"].value_counts().rows_by_key("strands", unique=True)
    of_strand: Callable[[str], int] = lambda name: strand[name][0]  # noqa: E731
    sex = people.sex_of(made["person"].to_numpy())
    exploited = made.filter(pl.col("strands").list.eval(pl.element().is_in(EXPLOITATION)).list.any())
    first, last = clock.first_day(YEAR), clock.first_day(YEAR + 1)
    supported = pl.concat([clients(year.seed, y) for y in (YEAR - 1, YEAR)]).filter(
        (pl.col("from_on") < last) & (pl.col("to_on") >= first)
    )
    return {
        "angelou_referrals": made.height,
        "angelou_repeat_referrals": made.filter("is_repeat").height,
        "angelou_repeat_share": _share(made, pl.col("is_repeat")),
        "angelou_sexual_violence": of_strand("Sexual violence"),
        "angelou_stalking_harassment": of_strand("Stalking and harassment"),
        "angelou_harmful_practices": of_strand("Harmful practices"),
        "angelou_child_sexual_exploitation": of_strand("Child sexual exploitation"),
        "angelou_trafficking_prostitution": of_strand("Trafficking and prostitution"),
        "angelou_sexual_exploitation": of_strand("Sexual exploitation"),
        "angelou_male_victims": made.filter(pl.Series(sex == 0))["person"].n_unique(),
        "angelou_exploitation_supported": exploited["person"].n_unique(),
        "rahab_clients": supported["client"].n_unique(),
    }


def _burglary(year: _Year) -> dict[str, float]:
    burglary = year.crimes.filter(kind="burglary")
    dwelling = burglary.filter(building="dwelling")
    other = burglary.filter(pl.col("building") != "dwelling")
    accused_of = year.accused.filter(kind="burglary")
    return {
        "burglary_change_5y": _change(burglary.height, year.of(YEAR - 4).filter(kind="burglary").height),
        "burglary_change_1y": _change(burglary.height, year.of(YEAR - 1).filter(kind="burglary").height),
        "burglary_dwelling_share": 100 * dwelling.height / burglary.height,
        "burglary_dwelling_walk_in": _share(dwelling, pl.col("is_walk_in")),
        "burglary_other_walk_in": _share(other, pl.col("is_walk_in")),
        "burglary_detection": _share(burglary, pl.col("is_detected")),
        "burglary_accused_male": _share(accused_of, pl.col("sex") == "Male"),
        "burglary_accused_mean_age": _mean_age(accused_of),
        "burglary_accused_white_european": _share(accused_of, pl.col("ethnic_appearance") == "White European"),
        "burglary_accused_african_caribbean": _share(accused_of, pl.col("ethnic_appearance") == "African-Caribbean"),
        "burglary_accused_local": _share(accused_of, pl.col("residence").is_in([HOME, HF])),
        "burglary_accused_boroughs": _boroughs(accused_of),
    }


def _youth(year: _Year) -> dict[str, float]:
    stabbed = year.victims.filter(pl.col("is_knife_injury") & ~pl.col("is_domestic"))
    threatened = year.victims.filter(pl.col("is_knife_threat"))
    serious = year.victims.filter(_SERIOUS)
    young = serious.filter(pl.col("age").is_between(11, 25))
    males = young.filter(sex="Male")
    accused_of = year.accused.filter(_SERIOUS)
    detected = year.crimes.filter(pl.col("is_knife_injury") & pl.col("is_detected")).height
    robbery = year.crimes.filter(pl.col("kind").str.starts_with("robbery"))
    days = clock.carnival(YEAR)
    return {
        "syv_stabbing_victims": stabbed.height,
        "syv_stabbing_murders": stabbed.filter(kind="murder").height,
        "syv_stabbing_serious": stabbed.filter(kind="wounding").height,
        "syv_stabbing_male": _share(stabbed, pl.col("sex") == "Male"),
        "syv_stabbing_boroughs": _boroughs(stabbed),
        "syv_stabbing_carnival": stabbed.filter(pl.col("from_at").dt.date().is_in(days)).height,
        "syv_knife_threat_victims": threatened.height,
        "syv_knife_threat_female": threatened.filter(sex="Female").height,
        "syv_knife_injury_detections": detected,
        "syv_knife_injury_detection_rate": 100 * detected / stabbed.height,
        "syv_victims_11_25_male": _share(young, pl.col("sex") == "Male"),
        "syv_victims_male_african_caribbean": _share(males, pl.col("ethnic_appearance") == "African-Caribbean"),
        "syv_victims_male_white_european": _share(males, pl.col("ethnic_appearance") == "White European"),
        "syv_victims_male_arabic": _share(males, pl.col("ethnic_appearance") == "Arabic"),
        "syv_victims_boroughs": _boroughs(serious),
        "syv_victims_kc": _share(serious, pl.col("residence") == HOME),
        "syv_victims_hf": _share(serious, pl.col("residence") == HF),
        "syv_victims_westminster": _share(serious, pl.col("residence") == WESTMINSTER),
        "syv_accused_boroughs": _boroughs(accused_of),
        "syv_accused_kc": _share(accused_of, pl.col("residence") == HOME),
        "syv_firearm": year.crimes.filter("is_firearm").height,
        "syv_firearm_shots": year.crimes.filter("is_shots").height,
        "syv_robbery_knife_injury": robbery.filter("is_knife_injury").height,
        "syv_robbery_gun": robbery.filter("is_firearm").height,
        "syv_robbery_phone": robbery.filter("is_phone").height,
    }


def _asb(year: _Year) -> dict[str, float]:
    now, before = incidents(year.seed, YEAR), incidents(year.seed, YEAR - 1)

    def repeats(calls: pl.DataFrame) -> int:
        return calls.filter(pl.col("line") >= 0).group_by("line").len().filter(pl.col("len") > 1).height

    return {
        "asb_reports": now.height,
        "asb_change_1y": _change(now.height, before.height),
        "asb_repeat_callers": repeats(now),
        "asb_repeat_callers_change": _change(repeats(now), repeats(before)),
    }


def _hate(year: _Year) -> dict[str, float]:
    hate = year.crimes.filter("is_hate")
    charged, suffered = year.accused.filter("is_hate"), year.victims.filter("is_hate")
    known = charged.filter(~pl.col("relation").is_in(["Stranger", "Not known"]))
    return {
        "hate_change_1y": _change(hate.height, year.of(YEAR - 1).filter("is_hate").height),
        "hate_violence_share": _share(hate, _VIOLENCE),
        "hate_harassment_share": _share(hate, pl.col("kind") == "harassment"),
        "hate_serious_injury_share": _share(hate, _VWI),
        "hate_criminal_damage_share": _share(hate, pl.col("kind").str.starts_with("damage")),
        "hate_charged": charged["person"].n_unique(),
        "hate_known_share": 100 * known.height / charged.height,
        "hate_known_neighbours": known.filter(relation="Neighbour").height,
        "hate_known_friends": known.filter(relation="Acquaintance or friend").height,
        "hate_accused_male": _share(charged, pl.col("sex") == "Male"),
        "hate_accused_mean_age": _mean_age(charged),
        "hate_accused_kc": _share(charged, pl.col("residence") == HOME),
        "hate_victims_kc": _share(suffered, pl.col("residence") == HOME),
        "hate_victims_mean_age": _mean_age(suffered),
        "hate_victims_male": _share(suffered, pl.col("sex") == "Male"),
    }


def _with_injury(year: _Year) -> dict[str, float]:
    injury = year.crimes.filter(_ND_VWI)
    before = year.of(YEAR - 1).filter(_ND_VWI)
    calendar = pl.concat([injury.select("recorded_on"), before.select("recorded_on")]).filter(
        pl.col("recorded_on").dt.year() == YEAR
    )
    august = injury.filter(pl.col("recorded_on").dt.month() == 8).height
    usual = injury.filter(~pl.col("from_at").dt.date().is_in(clock.carnival(YEAR)))
    north = usual.filter(pl.col("ward_name").is_in(["Dalgarno", "Golborne", "Notting Dale"]))
    suffered = year.victims.filter(_ND_VWI)
    return {
        "vwi_non_domestic_share": 100 * injury.height / year.crimes.filter(_VWI).height,
        "vwi_august": august,
        "vwi_august_share_fy": 100 * august / injury.height,
        "vwi_august_share_cy": 100 * august / calendar.height,
        "vwi_august_change": _change(august, before.filter(pl.col("recorded_on").dt.month() == 8).height),
        "vwi_top_three_wards": 100 * north.height / usual.height,
        "vwi_brompton_rank": _rank(usual, "ward_name", "Brompton and Hans Town"),
        "vwi_st_charles": injury.filter(hospital="St Charles Hospital").height,
        "vwi_chelsea_westminster": injury.filter(hospital="Chelsea and Westminster Hospital").height,
        "vwi_public_place": _share(injury, pl.col("location") == "street"),
        "vwi_private_residence": _share(injury, pl.col("location") == "private_residence"),
        "vwi_licensed": _share(injury, pl.col("location") == "licensed_premises"),
        "vwi_retail": _share(injury, pl.col("location") == "retail"),
        "vwi_public_transport": _share(injury, pl.col("location") == "public_transport"),
        "vwi_victims_25_and_under": _share(suffered, pl.col("age") <= 25),
        "vwi_victims_kc": _share(suffered, pl.col("residence") == HOME),
        "vwi_victims_kc_neighbours": _share(suffered, pl.col("residence").is_in([HOME, *NEIGHBOURS])),
        "vwi_hate": injury.filter("is_hate").height,
        "vwi_hate_share": _share(injury, pl.col("is_hate")),
    }


def _from_vehicles(year: _Year) -> dict[str, float]:
    thefts = year.crimes.filter(kind="theft_from_vehicle")
    before = year.of(YEAR - 1).filter(kind="theft_from_vehicle").height
    accused_of = year.accused.filter(kind="theft_from_vehicle")
    neighbours = accused_of.filter(pl.col("residence").is_in(list(NEIGHBOURS))).height
    home = accused_of.filter(residence=HOME).height
    brompton = thefts.filter(ward_name="Brompton and Hans Town").height
    values: dict[str, float] = {
        "tfmv_offences": thefts.height,
        "tfmv_change_1y": _change(thefts.height, before),
        "tfmv_detection": _share(thefts, pl.col("is_detected")),
        "tfmv_accused": accused_of.height,
        "tfmv_accused_male": _share(accused_of, pl.col("sex") == "Male"),
        "tfmv_accused_mean_age": _mean_age(accused_of),
        "tfmv_accused_kc": home,
        "tfmv_accused_kc_share": 100 * home / accused_of.height,
        "tfmv_accused_neighbours": neighbours,
        "tfmv_accused_neighbours_share": 100 * neighbours / accused_of.height,
        "tfmv_five_southern_wards": _share(thefts, pl.col("ward_name").is_in(_SOUTHERN)),
        "tfmv_brompton": brompton,
        "tfmv_brompton_share": 100 * brompton / thefts.height,
    }
    for name, bodies in {
        "saloon": ["Saloon"], "estate": ["Estate"], "hatchback": ["Hatchback"], "van_lorry": ["Van", "Lorry"],
        "motorbike_scooter": ["Motorcycle", "Scooter or moped"],
    }.items():  # fmt: skip
        values[f"tfmv_vehicle_{name}"] = _share(thefts, pl.col("vehicle_body").is_in(bodies))
    for name in ("street", "car_park", "driveway"):
        values[f"tfmv_location_{name}"] = _share(thefts, pl.col("location") == name)
    return values


def _mean_age(frame: pl.DataFrame) -> float:
    return float(frame["age"].cast(pl.Float64).sum() / frame.height)
