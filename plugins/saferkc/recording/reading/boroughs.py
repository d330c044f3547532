"""Names of boroughs as agencies print them, and their codes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import yaml

from saferkc.contracts.labels import fold_label


@dataclass(frozen=True)
class Boroughs:
    """The boroughs of London: codes by folded name. Airports and offences of no known borough are none."""

    codes: dict[str, str]
    home: str

    def code(self, name: str | None) -> str | None:
        """The code of the borough of that name; None where it is none. No name at all is this borough."""
        return self.home if name is None else self.codes.get(fold_label(name))


def home_borough(dbt_project: Path) -> str:
    """The code of the borough that the warehouse serves, as the dbt project says."""
    project = yaml.safe_load((dbt_project / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(project["vars"]["home_borough_code"])


def read_boroughs(dbt_project: Path) -> Boroughs:
    """Read the boroughs, their spellings and which one is ours from the dbt project."""
    seeds = dbt_project / "seeds"
    rows = _rows(seeds / "boroughs.csv")
    real = {row["borough_code"] for row in rows if row["is_pseudo_borough"] != "true"}
    names = [(row["borough_name"], row["borough_code"]) for row in rows]
    names += [(row["published_name"], row["borough_code"]) for row in _rows(seeds / "borough_spellings.csv")]
    codes = {fold_label(name): code for name, code in names if code in real}
    return Boroughs(codes, home_borough(dbt_project))


def borough_names(seeds: Path) -> dict[str, str]:
    """Names of the boroughs by code."""
    return {row["borough_code"]: row["borough_name"] for row in _rows(seeds / "boroughs.csv")}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
