"""What is counted of each feed: which column is the area, the whole and the class, as SQL over its raw table ``r``.

Classes are labels as delivered and not our codes: a new label is what the detector looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from saferkc.recording.series import Dimension

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
EVERYTHING = "All offences"


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
    several labels joined by ``|`` (``is_joined``): such classes overlap. ``flags`` are classes that any record may
    carry, by name, with their condition; ``scope`` the part of the deliveries that holds these records.
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
    flags: Mapping[str, str] = field(default_factory=dict)
    qualities: tuple[Quality, ...] = ()


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

TREES: tuple[Tree, ...] = (_MPS_BOROUGH,)
