"""Faults that partner agencies' deliveries can carry, each in one feed's file of the last night asked for.

``PARTNER_SCENARIOS`` says of each what goes wrong and what must happen. What was done, to which file and to which
of its lines, is written beside the truth (``simulated_faults.json``), so a test can ask for exactly those rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from saferkc.simulation import fault_documents, fault_text


@dataclass(frozen=True)
class Fault:
    """A fault: the feed that has it, what goes wrong, what must happen, and how it is put in.

    ``content`` changes the bytes of the file, given the file's heading line's separator, and says which lines (from
    1, the heading) it spoilt; ``files`` does something to the file as a whole and returns the files there are then.
    """

    feed: str
    does: str
    must: str
    content: Callable[[bytes], tuple[bytes, list[int]]] | None = None
    files: Callable[[Path, date], list[Path]] | None = None


@dataclass
class Done:
    """What a fault did: to which file, to which lines, and what must happen."""

    scenario: str
    feed: str
    file: str
    must: str
    lines: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


_OFFENCES, _VICTIMS, _ASB = "police_offences", "police_victims", "police_asb_incidents"
_ANGELOU, _TMO, _COUNCIL = "angelou_referrals", "tmo_asb_cases", "council_enforcement_actions"
_QUARANTINED = "exactly the spoilt rows go to quarantine, each with rule and column; the rest is admitted"
_WHOLE = "the delivery is refused as a whole, with a reason; nothing of it reaches raw; other feeds go on"
_READ = "it is read as if nothing were wrong with it: the same rows as without the fault"

FAULTS: dict[str, Fault] = {
    # when and how often
    "partner_late": Fault(
        _OFFENCES,
        "the last night's offences do not come; they are put into held_back/, to be delivered on a later night",
        "the other feeds are loaded; once the file comes, the warehouse is what it would have been, and no newer "
        "version is replaced",
        files=fault_documents.held_back,
    ),
    "partner_missing": Fault(
        _OFFENCES,
        "the last night's offences never come",
        "the night goes on without them and nothing is made up in their place",
        files=fault_documents.removed,
    ),
    "partner_double": Fault(
        _OFFENCES,
        "the last night's offences come twice, under two names",
        "the same bytes are one delivery: the second adds nothing",
        files=fault_documents.twice,
    ),
    "partner_correction": Fault(
        _OFFENCES,
        "the offences come again later the same night, with another kind of place in every tenth row",
        "a new version of every tenth record, the others unchanged; both versions can be asked for by date",
        files=fault_documents.corrected,
    ),
    "partner_withdrawn": Fault(
        _OFFENCES,
        "every fifth offence of the last night is sent again as deleted",
        "those records leave the current view and stay in history",
        files=fault_documents.withdrawn,
    ),
    "partner_cut_off": Fault(
        _OFFENCES, "the file breaks off in the middle of a line", _WHOLE, content=fault_text.cut_off
    ),
    "partner_cut_off_extract": Fault(
        _ANGELOU,
        "the workbook, which should hold every referral, holds the first 60 in 100",
        "refused as a whole: what it lacks is not withdrawn",
        files=fault_documents.part_of_workbook,
    ),
    "partner_wrong_month": Fault(
        _OFFENCES,
        "the file is called by a night of the month before",
        "refused as a whole: it holds what was recorded after the day of its name",
        files=fault_documents.month_earlier,
    ),
    # columns
    "partner_new_column": Fault(
        _OFFENCES, "there is a column more", "let in and flagged", content=fault_text.new_column
    ),
    "partner_missing_column": Fault(
        _OFFENCES, "the column Offence Code is missing", _WHOLE, content=fault_text.missing_column
    ),
    "partner_renamed_column": Fault(
        _OFFENCES,
        "Offence Code is headed Off Code",
        "refused as a whole, naming the heading that is missing",
        content=fault_text.renamed_column,
    ),
    "partner_reordered_columns": Fault(
        _OFFENCES, "the columns stand in another order", _READ, content=fault_text.reordered
    ),
    "partner_new_code": Fault(
        _ASB, "every fifth call has a type that never was", "let in and flagged", content=fault_text.new_code
    ),
    # how bytes are written
    "partner_bom": Fault(_OFFENCES, "the file begins with a byte order mark", _READ, content=fault_text.with_bom),
    "partner_cp1252": Fault(_VICTIMS, "the file is in cp1252, accents and all", _READ, content=fault_text.in_cp1252),
    "partner_utf16": Fault(
        _OFFENCES,
        "the file is in UTF-16",
        "refused as a whole, since the contract does not name that encoding",
        content=fault_text.in_utf16,
    ),
    "partner_line_ends": Fault(
        _OFFENCES, "lines end in CR LF and in LF by turns", _READ, content=fault_text.mixed_line_ends
    ),
    "partner_open_quote": Fault(
        _OFFENCES,
        "every tenth street begins with a quotation mark that nothing closes",
        "only lines with the mark are spoilt: those that it breaks go to quarantine, no other line is swallowed",
        content=fault_text.open_quote,
    ),
    "partner_delimiter_in_text": Fault(
        _TMO, "every tenth estate has the delimiter in its name", _QUARANTINED, content=fault_text.delimiter_in_text
    ),
    # values
    "partner_text_in_numbers": Fault(
        _VICTIMS, "every hundredth age is a word", _QUARANTINED, content=fault_text.text_in_numbers
    ),
    "partner_impossible_dates": Fault(
        _OFFENCES,
        "every hundredth offence was recorded on 31 February",
        _QUARANTINED,
        content=fault_text.impossible_dates,
    ),
    "partner_ages": Fault(
        _VICTIMS,
        "every fiftieth age is 0, and every fiftieth 250",
        "0 is read as not known; rows with 250 go to quarantine",
        content=fault_text.odd_ages,
    ),
    "partner_formulas": Fault(
        _OFFENCES,
        "every tenth street begins as a spreadsheet formula does (=, +, - or @)",
        _QUARANTINED + "; no report or page shows it as a formula",
        content=fault_text.formulas,
    ),
    "partner_clocks": Fault(
        _ASB,
        "every tenth call is at 01:30 of the night in which clocks go back, every tenth at 01:30 of the one in which "
        "they go forward",
        "the first is read as the first of the two hours, the second as an hour later; both are flagged",
        content=fault_text.clocks,
    ),
    # what is not what it seems
    "partner_zip_bomb": Fault(
        _OFFENCES,
        "the police send an archive whose member unpacks to a thousand times its size",
        "refused as a whole, without unpacking it",
        files=fault_documents.zip_bomb,
    ),
    "partner_climbing_path": Fault(
        _OFFENCES,
        "the police send an archive with a member called ../../offences_<night>.csv",
        "refused as a whole; nothing is written outside of landing",
        files=fault_documents.climbing_path,
    ),
    "partner_wrong_key": Fault(
        _OFFENCES,
        "the offences are encrypted with OpenPGP for somebody else's key",
        "refused as a whole, saying which connection holds our key",
        files=fault_documents.for_another_key,
    ),
    "partner_locked_workbook": Fault(
        _ANGELOU,
        "the workbook is locked with the password `simulated`",
        "read where the connection saferkc_angelou_workbook has the password, else refused as a whole",
        files=fault_documents.locked,
    ),
    # the API
    "partner_page_twice": Fault(
        _COUNCIL,
        "the API gave a page twice, so some actions stand twice alike",
        "each is one record",
        content=fault_text.page_twice,
    ),
}
PARTNER_SCENARIOS: dict[str, str] = {name: f"{fault.does}; must: {fault.must}" for name, fault in FAULTS.items()}


def check(scenarios: Sequence[str]) -> None:
    """Raise ``ValueError`` where a scenario is not one of the partner feeds', naming those that are."""
    unknown = [name for name in scenarios if name not in FAULTS]
    if unknown:
        raise ValueError(f"unknown scenario {', '.join(unknown)}; known are {', '.join(sorted(FAULTS))}")


def spoil(
    written: Sequence[Path], names: dict[str, str], scenarios: Sequence[str], night: date, truth: Path
) -> list[Path]:
    """Put the scenarios' faults into the last night's files and return the files there are then.

    ``names`` has the name of each feed's last file. A feed without a file this time is left alone. What was done is
    written to ``truth/simulated_faults.json``.
    """
    files = {path.name: path for path in written}
    done = []
    for scenario in scenarios:
        fault = FAULTS[scenario]
        path = files.get(names.get(fault.feed, ""))
        if path is None or not path.exists():
            continue
        what = Done(scenario, fault.feed, path.name, fault.must)
        if fault.content:
            content, what.lines = fault.content(path.read_bytes())
            path.write_bytes(content)
        if fault.files:
            made = fault.files(path, night)
            what.files = [f"{file.parent.name}/{file.name}" for file in made]
            files.pop(path.name)
            files |= {file.name: file for file in made}
        done.append(what)
    if done:
        truth.mkdir(parents=True, exist_ok=True)
        (truth / "simulated_faults.json").write_text(json.dumps([vars(what) for what in done], indent=2) + "\n")
    return list(files.values())
