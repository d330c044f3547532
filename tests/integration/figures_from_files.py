"""The plan's figures worked out with pandas from the delivered files, for any financial year.

The definitions are the plan's own words, and where those leave a choice, docs/simulation.md. Nothing is rounded;
shares and changes are in percent, as the plan prints them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

import pandas as pd
from delivered_files import Delivered

HOME = "Kensington and Chelsea"
NEIGHBOURS = ("Hammersmith and Fulham", "Westminster", "Brent", "Wandsworth")
SOUTHERN = ("Brompton and Hans Town", "Royal Hospital", "Stanley", "Chelsea Riverside", "Redcliffe")
NORTHERN = ("Dalgarno", "Golborne", "Notting Dale")
WITH_INJURY = ("Wounding/GBH", "Assault with Injury")
UNKNOWN_TO_VICTIM = ("Stranger", "Unknown", "")


def figures(files: Delivered, year: int) -> dict[str, float]:
    """Return the figures of the financial year that begins in ``year``, by the plan's ``figure_id``."""
    return (
        _all(files, year)
        | _domestic_and_sexual(files, year)
        | _services(files, year)
        | _burglary(files, year)
        | _youth(files, year)
        | _calls(files, year)
        | _hate(files, year)
        | _with_injury(files, year)
        | _from_vehicles(files, year)
    )


def of_year(frame: pd.DataFrame, year: int, day: str = "recorded") -> pd.DataFrame:
    """The rows whose day lies in the financial year."""
    return frame[_between(frame[day], f"{year}-04-01", f"{year + 1}-04-01")]


def _between(days: pd.Series, first: str, end: str) -> pd.Series:
    return (days >= first) & (days < end)


def _share(part: pd.Series) -> float:
    """How many in a hundred rows are so."""
    return 100 * float(part.mean())


def _change(now: pd.DataFrame, before: pd.DataFrame) -> float:
    """In percent; not a number where there was nothing before."""
    return 100 * (len(now) / len(before) - 1) if len(before) else math.nan


def _is(frame: pd.DataFrame, flag: str) -> pd.Series:
    return frame[flag] == "Y"


def _detected(files: Delivered, offences: pd.DataFrame) -> pd.Series:
    """Whether an offence led to a sanction detection, whenever that was."""
    found = files.outcomes.loc[_is(files.outcomes, "Sanction Detection"), "Crime Reference"]
    return offences["Crime Reference"].isin(found)


def _london_boroughs(people: pd.DataFrame) -> int:
    return len(set(people["lives in"]) - {"Outside London", "Unknown", ""})


def _carnival(year: int) -> list[date]:
    """Sunday and Monday of the last weekend of August, the Monday being the bank holiday."""
    if year in (2020, 2021):
        return []
    monday = max(day for day in pd.date_range(f"{year}-08-25", f"{year}-08-31") if day.weekday() == 0)
    return [(monday - pd.Timedelta(days=1)).date(), monday.date()]


def _at_carnival(frame: pd.DataFrame, year: int) -> pd.Series:
    return frame["committed"].dt.date.isin(_carnival(year))


def _all(files: Delivered, year: int) -> dict[str, float]:
    notifiable = files.offences[_is(files.offences, "Notifiable")]
    now, before = of_year(notifiable, year), of_year(notifiable, year - 1)
    rises, earliest = 0, int(notifiable["recorded"].min().year)
    while year - rises > earliest and len(of_year(notifiable, year - rises)) > len(
        of_year(notifiable, year - rises - 1)
    ):
        rises += 1
    values = {
        "crime_total": len(now),
        "crime_change_10y": _change(now, of_year(notifiable, year - 10)),
        "crime_up_three_years": rises,
    }
    wards = ("Brompton and Hans Town", "Colville", "Royal Hospital", "Norland", "St Helen's", "Holland")
    for ward in wards:
        values[f"crime_ward_share_{ward.lower().replace(' ', '_').replace(chr(39), '')}"] = _share(now["Ward"] == ward)

    def direction(name: str, column: str, words: Iterable[str]) -> None:
        one, earlier = (int(frame[column].isin(list(words)).sum()) for frame in (now, before))
        values[f"crime_direction_{name}"] = (one > earlier) - (one < earlier)

    direction("theft_from_motor_vehicle", "Offence Code", ["45"])
    direction("theft_of_motor_vehicle", "Offence Code", ["48"])
    direction("violence_with_injury", "Minor Class", WITH_INJURY)
    direction("robbery", "Major Class", ["Robbery"])
    direction("drug_offences", "Major Class", ["Drugs"])
    direction("burglary", "Major Class", ["Burglary"])
    direction("theft_person", "Offence Code", ["39"])
    direction("theft_and_handling", "Major Class", ["Theft and Handling"])
    return values


def _domestic_and_sexual(files: Delivered, year: int) -> dict[str, float]:
    domestic = files.offences[_is(files.offences, "Domestic Abuse")]
    sexual = files.offences[files.offences["Major Class"] == "Sexual Offences"]
    now, of_sex = of_year(domestic, year), of_year(sexual, year)
    rape = of_sex[of_sex["Minor Class"] == "Rape"]
    violence = now[now["Major Class"] == "Violence Against the Person"]
    all_now = of_year(files.offences, year)
    accused = of_year(files.accused[_is(files.accused, "Domestic Abuse")], year)
    relation = accused["Relationship to Victim"]
    traffic = files.offences[files.offences["Offence Code"] == "36A"]
    march = files.victims[
        _between(files.victims["recorded"], f"{year + 1}-03-01", f"{year + 1}-04-01")
        & _is(files.victims, "Domestic Abuse")
    ]
    twelve_months = _between(files.victims["recorded"], f"{year}-03-01", f"{year + 1}-03-01")
    earlier = set(files.victims.loc[twelve_months, "person"])
    suffered = set(march["person"])
    return {
        "vawg_da_change_5y": _change(now, of_year(domestic, year - 4)),
        "vawg_so_change_5y": _change(of_sex, of_year(sexual, year - 4)),
        "vawg_da_share_violence": _share(now["Major Class"] == "Violence Against the Person"),
        "vawg_da_share_sexual": _share(now["Major Class"] == "Sexual Offences"),
        "vawg_da_share_property": _share(now["Major Class"].isin(["Robbery", "Burglary", "Theft and Handling"])),
        "vawg_da_share_criminal_damage": _share(now["Major Class"] == "Criminal Damage"),
        "vawg_da_serious_violence": _share(violence["Minor Class"].isin(WITH_INJURY)),
        "vawg_so_detection": _share(_detected(files, of_sex)),
        "vawg_rape_detection": _share(_detected(files, rape)),
        "vawg_da_detection": _share(_detected(files, now)),
        "vawg_da_accused_partner": _share(relation.isin(["Current partner", "Ex-partner"])),
        "vawg_da_accused_family": _share(relation.isin(["Parent", "Child", "Sibling", "Other relative"])),
        "vawg_da_repeat_victims": 100 * len(suffered & earlier) / len(suffered),
        "police_trafficking": len(of_year(traffic, year)),
        "police_trafficking_previous": len(of_year(traffic, year - 1)),
        "police_hbv": int(_is(all_now, "Honour Based").sum()),
        "police_fgm": int(_is(all_now, "FGM").sum()),
    }


def _services(files: Delivered, year: int) -> dict[str, float]:
    referrals = of_year(files.referrals[files.referrals["Borough"] == HOME], year, "Date of Referral")
    repeat = referrals["Repeat Referral"] == "Yes"
    supported = referrals[referrals["Support Started"].notna()]
    exploitation = {"Trafficking and prostitution", "Sexual exploitation"}
    exploited = supported[supported["strands"].map(lambda strands: not exploitation.isdisjoint(strands)).astype(bool)]
    with_rahab = files.support[
        (files.support["Support From"] < f"{year + 1}-04-01")
        & ~(files.support["Support To"] < f"{year}-04-01")  # not over before the year began; it may go on still
    ]
    values = {
        "angelou_referrals": len(referrals),
        "angelou_repeat_referrals": int(repeat.sum()),
        "angelou_repeat_share": _share(repeat),
        "angelou_male_victims": supported.loc[supported["Gender"] == "Male", "person"].nunique(),
        "angelou_exploitation_supported": exploited["person"].nunique(),
        "rahab_clients": with_rahab["Client Ref"].nunique(),
    }
    for name, strand in {
        "sexual_violence": "Sexual violence",
        "stalking_harassment": "Stalking and harassment",
        "harmful_practices": "Harmful practices",
        "child_sexual_exploitation": "Child sexual exploitation",
        "trafficking_prostitution": "Trafficking and prostitution",
        "sexual_exploitation": "Sexual exploitation",
    }.items():
        values[f"angelou_{name}"] = sum(strand in strands for strands in referrals["strands"])
    if referrals.empty:  # before the service began there is nothing to count, which is not the same as none
        values |= dict.fromkeys((figure for figure in values if figure.startswith("angelou")), math.nan)
    return values


def _burglary(files: Delivered, year: int) -> dict[str, float]:
    burglary = files.offences[files.offences["Major Class"] == "Burglary"]
    now = of_year(burglary, year)
    dwelling, other = (now[now["Minor Class"] == f"Burglary in {where}"] for where in ("a Dwelling", "Other Buildings"))
    accused = of_year(files.accused[files.accused["Major Class"] == "Burglary"], year)
    return {
        "burglary_change_5y": _change(now, of_year(burglary, year - 4)),
        "burglary_change_1y": _change(now, of_year(burglary, year - 1)),
        "burglary_dwelling_share": 100 * len(dwelling) / len(now),
        "burglary_dwelling_walk_in": _share(_is(dwelling, "Walk In Entry")),
        "burglary_other_walk_in": _share(_is(other, "Walk In Entry")),
        "burglary_detection": _share(_detected(files, now)),
        "burglary_accused_male": _share(accused["Sex"] == "M"),
        "burglary_accused_mean_age": accused["age"].mean(),
        "burglary_accused_white_european": _share(accused["appearance"] == "White European"),
        "burglary_accused_african_caribbean": _share(accused["appearance"] == "African-Caribbean"),
        "burglary_accused_local": _share(accused["lives in"].isin([HOME, "Hammersmith and Fulham"])),
        "burglary_accused_boroughs": _london_boroughs(accused),
    }


def _youth(files: Delivered, year: int) -> dict[str, float]:
    victims = of_year(files.victims, year)
    not_domestic = ~_is(victims, "Domestic Abuse")
    stabbed = victims[_is(victims, "Knife Used") & not_domestic]
    threatened = victims[_is(victims, "Knife Threatened")]
    serious = victims[not_domestic & _is_serious(victims)]
    males = serious[serious["age"].between(11, 25) & (serious["Sex"] == "M")]
    accused = of_year(files.accused, year)
    accused = accused[_is_serious(accused) & ~_is(accused, "Domestic Abuse")]
    offences = of_year(files.offences, year)
    firearm, robbery = offences[_is(offences, "Firearm")], offences[offences["Major Class"] == "Robbery"]
    with_knife = files.offences[_is(files.offences, "Knife Used")]
    detections = files.outcomes[_is(files.outcomes, "Sanction Detection")].groupby("Crime Reference")["day"].min()
    detected = with_knife["Crime Reference"].map(detections)  # counted by the day of detection (footnote 5)
    detections_now = int(_between(detected, f"{year}-04-01", f"{year + 1}-04-01").sum())
    return {
        "syv_stabbing_victims": len(stabbed),
        "syv_stabbing_murders": int((stabbed["Injury Degree"] == "Fatal").sum()),
        "syv_stabbing_serious": int((stabbed["Injury Degree"] == "Serious").sum()),
        "syv_stabbing_male": _share(stabbed["Sex"] == "M"),
        "syv_stabbing_boroughs": _london_boroughs(stabbed),
        "syv_stabbing_carnival": int(_at_carnival(stabbed, year).sum()),
        "syv_knife_threat_victims": len(threatened),
        "syv_knife_threat_female": int((threatened["Sex"] == "F").sum()),
        "syv_knife_injury_detections": detections_now,
        "syv_knife_injury_detection_rate": 100 * detections_now / len(stabbed),
        "syv_victims_11_25_male": _share(serious.loc[serious["age"].between(11, 25), "Sex"] == "M"),
        "syv_victims_male_african_caribbean": _share(males["appearance"] == "African-Caribbean"),
        "syv_victims_male_white_european": _share(males["appearance"] == "White European"),
        "syv_victims_male_arabic": _share(males["appearance"] == "Arabic"),
        "syv_victims_boroughs": _london_boroughs(serious),
        "syv_victims_kc": _share(serious["lives in"] == HOME),
        "syv_victims_hf": _share(serious["lives in"] == "Hammersmith and Fulham"),
        "syv_victims_westminster": _share(serious["lives in"] == "Westminster"),
        "syv_accused_boroughs": _london_boroughs(accused),
        "syv_accused_kc": _share(accused["lives in"] == HOME),
        "syv_firearm": len(firearm),
        "syv_firearm_shots": int(_is(firearm, "Shots Fired").sum()),
        "syv_robbery_knife_injury": int(_is(robbery, "Knife Used").sum()),
        "syv_robbery_gun": int(_is(robbery, "Firearm").sum()),
        "syv_robbery_phone": int(_is(robbery, "Mobile Phone Taken").sum()),
    }


def _is_serious(frame: pd.DataFrame) -> pd.Series:
    """Homicide and wounding."""
    return frame["Minor Class"].isin(["Murder", "Wounding/GBH"])


def _calls(files: Delivered, year: int) -> dict[str, float]:
    now, before = (of_year(files.calls, each, "reported") for each in (year, year - 1))

    def repeat_callers(calls: pd.DataFrame) -> pd.DataFrame:
        """Telephone lines that called twice or more."""
        numbers = calls.loc[calls["line"] != "", ["line"]].value_counts()
        return numbers[numbers > 1].reset_index()

    return {
        "asb_reports": len(now),
        "asb_change_1y": _change(now, before),
        "asb_repeat_callers": len(repeat_callers(now)),
        "asb_repeat_callers_change": _change(repeat_callers(now), repeat_callers(before)),
    }


def _hate(files: Delivered, year: int) -> dict[str, float]:
    now, before = (of_year(files.offences[files.offences["hate"]], each) for each in (year, year - 1))
    victims = of_year(files.victims[files.victims["hate"]], year)
    accused = of_year(files.accused[files.accused["hate"]], year)
    relation = accused["Relationship to Victim"]
    return {
        "hate_change_1y": _change(now, before),
        "hate_violence_share": _share(now["Major Class"] == "Violence Against the Person"),
        "hate_harassment_share": _share(now["Minor Class"] == "Harassment"),
        "hate_serious_injury_share": _share(now["Minor Class"].isin(WITH_INJURY)),
        "hate_criminal_damage_share": _share(now["Major Class"] == "Criminal Damage"),
        "hate_charged": accused["person"].nunique(),
        "hate_known_share": _share(~relation.isin(UNKNOWN_TO_VICTIM)),
        "hate_known_neighbours": int((relation == "Neighbour").sum()),
        "hate_known_friends": int(relation.isin(["Acquaintance", "Friend"]).sum()),
        "hate_accused_male": _share(accused["Sex"] == "M"),
        "hate_accused_mean_age": accused["age"].mean(),
        "hate_accused_kc": _share(accused["lives in"] == HOME),
        "hate_victims_kc": _share(victims["lives in"] == HOME),
        "hate_victims_mean_age": victims["age"].mean(),
        "hate_victims_male": _share(victims["Sex"] == "M"),
    }


def _not_domestic_with_injury(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["Minor Class"].isin(WITH_INJURY) & ~_is(frame, "Domestic Abuse")]


def _with_injury(files: Delivered, year: int) -> dict[str, float]:
    with_injury = of_year(files.offences[files.offences["Minor Class"].isin(WITH_INJURY)], year)
    every_year = _not_domestic_with_injury(files.offences)
    now = of_year(every_year, year)
    august, august_before = (
        every_year[_between(every_year["recorded"], f"{each}-08-01", f"{each}-09-01")] for each in (year, year - 1)
    )
    calendar = every_year[every_year["recorded"].dt.year == year]
    usual = now[~_at_carnival(now, year)]
    by_ward = usual["Ward"].value_counts()
    victims = of_year(_not_domestic_with_injury(files.victims), year)
    place, venue = now["Location Type"], now["Venue"]
    return {
        "vwi_non_domestic_share": 100 * len(now) / len(with_injury),
        "vwi_august": len(august),
        "vwi_august_share_fy": 100 * len(august) / len(now),
        "vwi_august_share_cy": 100 * len(august) / len(calendar),
        "vwi_august_change": _change(august, august_before),
        "vwi_top_three_wards": _share(usual["Ward"].isin(NORTHERN)),
        "vwi_brompton_rank": 1 + int((by_ward > by_ward["Brompton and Hans Town"]).sum()),
        "vwi_st_charles": int((venue == "St Charles Hospital").sum()),
        "vwi_chelsea_westminster": int((venue == "Chelsea and Westminster Hospital").sum()),
        "vwi_public_place": _share(place.isin(["Street", "Alley or footpath"])),
        "vwi_private_residence": _share(place == "Dwelling"),
        "vwi_licensed": _share(place.isin(["Public house", "Restaurant or cafe", "Nightclub"])),
        "vwi_retail": _share(place == "Shop"),
        "vwi_public_transport": _share(place.isin(["Bus", "Underground station", "Train", "Railway station"])),
        "vwi_victims_25_and_under": _share(victims["age"] <= 25),
        "vwi_victims_kc": _share(victims["lives in"] == HOME),
        "vwi_victims_kc_neighbours": _share(victims["lives in"].isin([HOME, *NEIGHBOURS])),
        "vwi_hate": int(now["hate"].sum()),
        "vwi_hate_share": _share(now["hate"]),
    }


def _from_vehicles(files: Delivered, year: int) -> dict[str, float]:
    now, before = (of_year(files.offences[files.offences["Offence Code"] == "45"], each) for each in (year, year - 1))
    accused = of_year(files.accused[files.accused["Offence Code"] == "45"], year)
    at_home, near = accused["lives in"] == HOME, accused["lives in"].isin(NEIGHBOURS)
    brompton = now["Ward"] == "Brompton and Hans Town"
    values = {
        "tfmv_offences": len(now),
        "tfmv_change_1y": _change(now, before),
        "tfmv_detection": _share(_detected(files, now)),
        "tfmv_accused": len(accused),
        "tfmv_accused_male": _share(accused["Sex"] == "M"),
        "tfmv_accused_mean_age": accused["age"].mean(),
        "tfmv_accused_kc": int(at_home.sum()),
        "tfmv_accused_kc_share": _share(at_home),
        "tfmv_accused_neighbours": int(near.sum()),
        "tfmv_accused_neighbours_share": _share(near),
        "tfmv_five_southern_wards": _share(now["Ward"].isin(SOUTHERN)),
        "tfmv_brompton": int(brompton.sum()),
        "tfmv_brompton_share": _share(brompton),
    }
    for name, bodies in {
        "saloon": ["Saloon"],
        "estate": ["Estate"],
        "hatchback": ["Hatchback"],
        "van_lorry": ["Van", "Lorry"],
        "motorbike_scooter": ["Motorcycle", "Scooter or moped"],
    }.items():
        values[f"tfmv_vehicle_{name}"] = _share(now["Vehicle Body Type"].isin(bodies))
    for place in ("Street", "Car park", "Driveway"):
        values[f"tfmv_location_{place.lower().replace(' ', '_')}"] = _share(now["Location Type"] == place)
    return values
