"""What is counted of each feed: which column is the area, the whole and the class, as SQL over its raw table ``r``.

Classes are labels as delivered and not our codes: a new label is what the detector looks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from saferkc.recording.series import EVERYTHING, Dimension

# how the register calls the major categories of the Metropolitan Police
SERIES_OF_MAJOR: Mapping[str, str] = {
    "Burglary": "burglary",
    "Criminal Damage": "criminal_damage",
    "Arson and Criminal Damage": "criminal_damage",
    "Drugs": "drug_offences",
    "Drug Offences": "drug_offences",
    "Fraud or Forgery": "fraud",
    "Robbery": "robbery",
    "Sexual Offences": "sexual_offences",
    "Theft and Handling": "theft_and_handling",
    "Violence Against the Person": "violence",
}


@dataclass(frozen=True)
class Quality:
    """A quality that records may have: how it is called, which kind of change moves it, and the records that have it.

    ``having`` is a condition in SQL; ``of`` one that says which records are asked.
    """

    name: str
    nature: Literal["system", "geography"]
    having: str
    of: str = "true"


@dataclass(frozen=True)
class Tree:
    """How records of one raw table become classes of wholes in areas.

    ``name`` is the feed's name for the detector. ``area`` gives a borough's name, or is empty where all records are of
    this borough; ``by_area`` makes a feed of each area, for classes that belong to one area only. ``child`` may be
    several labels joined by ``|`` (``is_joined``): such classes overlap, as flags do, and what stands without a class
    is all of their whole. ``flags`` are classes that any record may carry, by name, with their condition; ``scope`` the
    part of the deliveries that holds these records.
    ``absent_is_unknown``: an area without any row in a month was not in the file.
    """

    name: str
    feed: str
    area: str
    parent: str
    child: str
    count: str = "count(*)"
    where: str = "true"
    scope: str | None = None
    dimension: Dimension = "category"
    is_joined: bool = False
    by_area: bool = False
    absent_is_unknown: bool = False
    series: Mapping[str, str] = field(default_factory=dict)
    everything: str = EVERYTHING
    flags: Mapping[str, str] = field(default_factory=dict)
    qualities: tuple[Quality, ...] = ()

    @property
    def label_columns(self) -> frozenset[str]:
        """The columns whose values are labels of wholes and classes."""
        return frozenset(re.findall(r"\br\.(\w+)", f"{self.parent} {self.child}"))

    @property
    def own_words(self) -> tuple[str, ...]:
        """Labels that are ours and come from no record."""
        return (self.everything, *self.flags, *re.findall(r"'([^']*)'", self.parent))


_MPS_BOROUGH = Tree(
    name="mps_recorded_crime",
    feed="mps_recorded_crime",
    area="r.borough_name",
    parent="r.major_category",
    child="r.minor_category",
    count="sum(r.offence_count)",
    where="r.geography_level = 'borough'",
    scope="borough",
    absent_is_unknown=True,
    series=SERIES_OF_MAJOR,
)

_MPS_WARD = replace(
    _MPS_BOROUGH,
    name="mps_recorded_crime by ward",
    parent=f"'{EVERYTHING}'",
    child="r.ward_name",
    where="r.geography_level = 'ward'",
    scope="ward",
    dimension="place",
    by_area=True,
    series={EVERYTHING: "offences_by_ward"},
)
_MPS_OTHER = Tree(
    name="mps_other_crime",
    feed="mps_other_crime",
    area="r.borough_name",
    parent=f"'{EVERYTHING}'",
    # beside the flags the file has all notifiable offences, in two parts
    child="case when r.minor_category !~* '^TNO ' then r.minor_category end",
    count="sum(r.offence_count)",
    absent_is_unknown=True,
    dimension="flag",
)
# a name is kept while boundaries move, so places are told by name and not by code
_NO_PLACE = (
    Quality("records without a Lower Super Output Area", "geography", "r.lsoa_code is null"),
    Quality("records without a ward", "geography", "r.ward_name is null"),
)
_HATE = ("race", "faith", "sexual_orientation", "transgender", "disability")
_OFFENCES = Tree(
    name="police_offences",
    feed="police_offences",
    area="r.borough_name",
    parent="r.major_class",
    child="r.minor_class",
    series=SERIES_OF_MAJOR,
    flags={
        "Domestic abuse": "r.is_domestic_abuse",
        "Hate crime": " or ".join(f"r.is_hate_{strand}" for strand in _HATE),
        "Knife used to injure": "r.is_knife_used",
        "Knife used as a threat": "r.is_knife_threatened",
        "Injury": "r.is_injury",
        "Firearm": "r.is_firearm",
        "Mobile phone taken": "r.is_mobile_phone_taken",
        "Honour-based violence": "r.is_honour_based",
    },
    qualities=(
        *_NO_PLACE,
        Quality("records without a kind of place", "system", "r.location_type is null"),
        Quality("records with the flag of domestic abuse left empty", "system", "r.is_domestic_abuse is null"),
        Quality("records with the flags of hate crime left empty", "system", "r.is_hate_race is null"),
        Quality("records with the flags of knives left empty", "system", "r.is_knife_used is null"),
        Quality(
            "records of offences more than 30 days old",
            "system",
            "r.recorded_date - (r.committed_from_at at time zone 'Europe/London')::date > 30",
        ),
    ),
)
_OFFENCES_BY_WARD = replace(
    _OFFENCES,
    name="police_offences by ward",
    parent=f"'{EVERYTHING}'",
    child="r.ward_name",
    dimension="place",
    by_area=True,
    series={EVERYTHING: "offences_by_ward"},
    flags={},
    qualities=(),
)
_ASB = Tree(
    name="police_asb_incidents",
    feed="police_asb_incidents",
    area="",
    parent="'All incidents'",
    child="r.asb_type",
    series={"All incidents": "asb_police"},
    qualities=(
        *_NO_PLACE,
        Quality("records without a kind of place", "system", "r.location_type is null"),
        Quality("records without a word on the caller's vulnerability", "system", "r.is_vulnerable_caller is null"),
    ),
)
_ANGELOU = Tree(
    name="angelou_referrals",
    feed="angelou_referrals",
    area="r.borough_name",
    parent="'All referrals'",
    child="r.strands",
    is_joined=True,
    qualities=(
        Quality("referrals without a source", "system", "r.referral_source is null"),
        Quality("referrals without a ward", "geography", "r.ward_name is null"),
    ),
)
_RAHAB = Tree(
    name="rahab_clients", feed="rahab_clients", area="", parent="'All clients'", child="r.needs", is_joined=True
)
_TMO = Tree(
    name="tmo_asb_cases",
    feed="tmo_asb_cases",
    area="",
    parent="'All cases'",
    child="r.categories",
    is_joined=True,
    qualities=(
        Quality("cases without a ward", "geography", "r.ward_code is null"),
        Quality("cases without a priority", "system", "r.priority_code is null"),
    ),
)
_COUNCIL = Tree(
    name="council_enforcement_actions",
    feed="council_enforcement_actions",
    area="",
    parent="r.service_name",
    everything="All actions",
    child="r.power_used",
    qualities=(
        Quality("actions without a Lower Super Output Area", "geography", "r.lsoa_code is null"),
        Quality("actions without a kind of place", "system", "r.location_type is null"),
    ),
)
_STREET = Tree(
    name="police_open_street",
    feed="police_open_street",
    # "Brent 033D" is in Brent; a record without a place is in no borough
    area=r"coalesce(regexp_replace(r.lsoa_name, '\s+\d{3}[A-Z]$', ''), '')",
    parent="'All records'",
    child="r.crime_type",
)

TREES: tuple[Tree, ...] = (
    _OFFENCES, _OFFENCES_BY_WARD, _MPS_BOROUGH, _MPS_WARD, _MPS_OTHER, _ASB, _ANGELOU, _RAHAB, _TMO, _COUNCIL, _STREET
)  # fmt: skip


def series_of_flag(name: str) -> str:
    """How the register calls a flag; empty where it has no series of its own."""
    folded = name.casefold()
    return "hate_crime" if folded.endswith("hate crime") else "domestic_abuse" if folded == "domestic abuse" else ""


def series_of(feed: str, whole: str, name: str = "") -> str:
    """How the register calls a whole of a feed, or its class ``name`` where that has a series of its own.

    What the register has never named is called by its own words.
    """
    series = next((tree.series for tree in TREES if feed == tree.name or feed.startswith(f"{tree.name} of ")), {})
    known = series_of_flag(name) or series.get(whole) or SERIES_OF_MAJOR.get(whole)
    return known or "_".join(re.findall(r"[a-z0-9]+", whole.lower()))
