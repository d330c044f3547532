"""The partners' files read with pandas, as an analyst would who has nothing but the files.

Nothing of the project is used here: headings, dates, deleted records and which version of a record is the latest are
read anew, so that a mistake of the loader or of a model has nobody to agree with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

# as people type a day into a workbook
_TYPED = ("%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d-%b-%Y")


@dataclass(frozen=True)
class Delivered:
    """What stands in the files at last: a table a feed, a row a record that was not deleted."""

    offences: pd.DataFrame
    victims: pd.DataFrame
    accused: pd.DataFrame
    outcomes: pd.DataFrame
    calls: pd.DataFrame
    referrals: pd.DataFrame
    support: pd.DataFrame
    cases: pd.DataFrame
    actions: pd.DataFrame


def read(folder: Path) -> Delivered:
    """Read everything that the partners delivered into the sources' folders of ``folder``."""
    offences = _police(folder, "offences", ["Crime Reference"])
    offences["recorded"] = pd.to_datetime(offences["Recorded Date"], format="%d/%m/%Y")
    offences["committed"] = pd.to_datetime(offences["Committed From"], format="%d/%m/%Y %H:%M")
    hate = [heading for heading in offences.columns if heading.startswith("Hate ")]
    offences["hate"] = (offences[hate] == "Y").any(axis=1)
    outcomes = _police(folder, "outcomes", ["Crime Reference", "Outcome Number"])
    outcomes["day"] = pd.to_datetime(outcomes["Outcome Date"], format="%d/%m/%Y")
    calls = _police(folder, "asb_incidents", ["Incident Reference"])
    calls["reported"] = pd.to_datetime(calls["Reported Date Time"], format="%d/%m/%Y %H:%M")
    calls["line"] = calls["Caller Phone"].map(_line)
    return Delivered(
        offences,
        _people(folder, offences, "victims", "Victim"),
        _people(folder, offences, "accused", "Accused"),
        outcomes,
        calls,
        _referrals(folder),
        _support(folder),
        _cases(folder),
        _actions(folder),
    )


def _texts(folder: Path, name: str, separator: str = ",") -> list[pd.DataFrame]:
    """The files of a feed, oldest first: their names end in the day."""
    paths = sorted(folder.glob(f"simulated_{name}_2*"))
    return [pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False) for path in paths]


def _latest(files: list[pd.DataFrame], key: list[str]) -> pd.DataFrame:
    """What each record's last mention says of it."""
    return pd.concat(files, ignore_index=True).drop_duplicates(key, keep="last").reset_index(drop=True)


def _police(folder: Path, name: str, key: list[str]) -> pd.DataFrame:
    records = _latest(_texts(folder / "police", name), key)
    return records[records["Record Status"] != "Deleted"].reset_index(drop=True)


def _people(folder: Path, offences: pd.DataFrame, name: str, role: str) -> pd.DataFrame:
    """People of offences that stand, each beside what the offence's own record says."""
    people = _police(folder, name, ["Crime Reference", f"{role} Number"])
    born = _days(people[f"{role} Date of Birth"], ("%d/%m/%Y", "%Y-%m-%d"))
    people["person"] = _person(people[f"{role} Forename"], people[f"{role} Surname"], born)
    people["age"] = pd.to_numeric(people["Age"]).where(lambda age: age > 0)
    people = people.rename(columns={"Borough of Residence": "lives in", "Ethnic Appearance": "appearance"})
    told = ["Crime Reference", "Sex", "person", "age", "lives in", "appearance", f"{role} Number"]
    told += [heading for heading in people.columns if heading.startswith(("Relationship", "Injury Degree"))]
    return people[told].merge(offences, on="Crime Reference", how="inner", validate="many_to_one")


def _person(forename: pd.Series, surname: pd.Series, born: pd.Series) -> pd.Series:
    """A name without case, accents and odd spaces, and a day of birth: what tells two people apart."""
    name = (forename + " " + surname).str.normalize("NFKD").str.replace(r"[\u0300-\u036f]", "", regex=True)
    name = name.str.casefold().str.split().str.join(" ")
    return name + " " + born.dt.strftime("%Y-%m-%d").fillna("")


def _days(cells: pd.Series, ways: Iterable[str]) -> pd.Series:
    """Days written in one of several ways; a real date in a workbook is one already."""
    is_text = cells.map(lambda cell: isinstance(cell, str))
    found = pd.to_datetime(cells.where(~is_text))
    for way in ways:
        found = found.fillna(pd.to_datetime(cells.where(is_text), format=way, errors="coerce"))
    return found


def _line(number: str) -> str:
    """A telephone line as dialled within the country; empty where the number was withheld."""
    digits = re.sub(r"\D", "", number.replace("(0)", ""))
    return re.sub(r"^(00)?44", "0", digits)


def _sheet(path: Path, sheet: str, first_heading: str) -> pd.DataFrame:
    """The table in a sheet that has a title above it and a total below."""
    cells = pd.read_excel(path, sheet_name=sheet, header=None)
    top = cells.index[cells[0] == first_heading][0]
    table = cells.loc[top + 1 :].set_axis(list(cells.loc[top]), axis=1)
    return table.dropna(subset=[table.columns[2]]).reset_index(drop=True)


def _referrals(folder: Path) -> pd.DataFrame:
    """Angelou's last workbook, which holds every referral."""
    path = sorted((folder / "angelou").glob("simulated_Angelou referrals *.xlsx"))[-1]
    referrals = _sheet(path, "Referrals", "Referral No")
    for heading in ("Date of Referral", "Support Started"):
        referrals[heading] = _days(referrals[heading], _TYPED)
    born = _days(referrals["Date of Birth"], _TYPED)
    referrals["person"] = _person(referrals["Client First Name"], referrals["Client Surname"], born)
    referrals["strands"] = [[part.strip() for part in cell.split(";")] for cell in referrals["Type(s) of Abuse"]]
    return referrals


def _support(folder: Path) -> pd.DataFrame:
    """Rahab's last workbook, which holds every period of support."""
    path = sorted((folder / "rahab").glob("simulated_Rahab clients *.xlsx"))[-1]
    support = _sheet(path, "Clients", "Client Ref")
    for heading in ("Support From", "Support To"):
        support[heading] = _days(support[heading], _TYPED)
    return support


def _cases(folder: Path) -> pd.DataFrame:
    cases = _latest(_texts(folder / "tmo", "tmo_asb_cases", "|"), ["CASE_REF"])
    return cases[cases["STAGE"] != "Raised in error"].reset_index(drop=True)


def _actions(folder: Path) -> pd.DataFrame:
    paths = sorted((folder / "council").glob("simulated_enforcement_actions_2*.jsonl"))
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    told = [{"actionId": line["actionId"], "status": line["status"], "actionAt": line["actionAt"]} for line in lines]
    latest = _latest([pd.DataFrame(told)], ["actionId"])
    return latest[latest["status"] != "void"].reset_index(drop=True)
