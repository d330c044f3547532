"""Faults of whole documents: held back, sent twice, corrected, locked, packed. Each returns the files then there."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import openpyxl

_BOMB_BYTES = 100_000_000


def _named(path: Path, night: date, time: str) -> Path:
    """The same file under a name that says a time of the night as well."""
    stamp = f"{night:%Y%m%d}"
    return path.with_name(path.name.replace(stamp, f"{stamp}T{time}"))


def held_back(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """Put the file aside, beside the inbox: ``held_back/<source>/``."""
    aside = path.parents[2] / "held_back" / path.parent.name
    aside.mkdir(parents=True, exist_ok=True)
    path.replace(aside / path.name)
    return []


def removed(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """The file never comes."""
    path.unlink()
    return []


def twice(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """The same bytes under a second name, which says the same extract."""
    again = path.with_name(path.name.replace("simulated_", "simulated_again_"))
    again.write_bytes(path.read_bytes())
    return [path, again]


def corrected(path: Path, night: date) -> list[Path]:
    """A later extract with another kind of place in every tenth row."""
    rows = list(csv.reader(io.StringIO(path.read_text())))
    place = rows[0].index("Location Type")
    for number in range(1, len(rows), 10):
        rows[number][place] = "Market" if rows[number][place] != "Market" else "Street"
    return [path, _later(path, night, rows)]


def withdrawn(path: Path, night: date) -> list[Path]:
    """A later extract with every fifth row, as deleted."""
    rows = list(csv.reader(io.StringIO(path.read_text())))
    place = rows[0].index("Record Status")
    gone = rows[1::5]
    for row in gone:
        row[place] = "Deleted"
    return [path, _later(path, night, [rows[0], *gone])]


def _later(path: Path, night: date, rows: list[list[str]]) -> Path:
    later = _named(path, night, "2300")
    with later.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    return later


def part_of_workbook(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """Only the first 60 in 100 of the rows."""
    book = openpyxl.load_workbook(path)
    sheet = book["Referrals"]
    kept = round(sheet.max_row * 0.6)
    sheet.delete_rows(kept, sheet.max_row - kept + 1)
    book.save(path)
    return [path]


def month_earlier(path: Path, night: date) -> list[Path]:
    """The file under the name of a night of the month before."""
    before = night.replace(day=1) - timedelta(days=1)
    before = before.replace(day=min(before.day, night.day))
    return [path.replace(path.with_name(path.name.replace(f"{night:%Y%m%d}", f"{before:%Y%m%d}")))]


def zip_bomb(path: Path, night: date) -> list[Path]:
    """An archive of the police whose only member is zeros without end."""
    bomb = path.with_name(f"simulated_police_{night:%Y%m%d}.zip")
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(path.name, "w", force_zip64=True) as member,
    ):
        for _ in range(_BOMB_BYTES // 1_000_000):
            member.write(bytes(1_000_000))
    path.unlink()
    return [bomb]


def climbing_path(path: Path, night: date) -> list[Path]:
    """An archive of the police with a member that would be written above the folder."""
    packed = path.with_name(f"simulated_police_{night:%Y%m%d}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"../../{path.name}", path.read_bytes())
    path.unlink()
    return [packed]


def for_another_key(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """The file encrypted for a key that nobody has."""
    from pysequoia import Tsk, encrypt  # noqa: PLC0415  (only this fault needs it)

    key = Tsk.generate("Somebody else <nobody@example.invalid>")
    locked = path.with_name(f"{path.name}.pgp")
    locked.write_bytes(encrypt(path.read_bytes(), recipients=[key.extract_certificate()], armor=False))
    path.unlink()
    return [locked]


def locked(path: Path, night: date) -> list[Path]:  # noqa: ARG001
    """The workbook locked with the password ``simulated``."""
    from msoffcrypto.format.ooxml import OOXMLFile  # noqa: PLC0415

    content = io.BytesIO(path.read_bytes())
    with path.open("wb") as stream:
        OOXMLFile(content).encrypt("simulated", stream)
    return [path]
