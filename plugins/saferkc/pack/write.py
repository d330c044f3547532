"""Sets a pack as HTML and PDF: the same content through two templates that people can edit.

Imports matplotlib and the Typst compiler: import this module only where a pack is made.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import matplotlib
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from saferkc.pack.content import PackContent, make_content
from saferkc.pack.outline import FOLDER
from saferkc.recording.charts.picture import draw
from saferkc.recording.charts.words import description
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

TEMPLATES = FOLDER / "templates"
_HTML, _PDF = "pack.html.j2", "pack.typ"


@dataclass(frozen=True)
class Pack:
    """The written files of a pack."""

    html: Path
    pdf: Path
    month: str
    is_simulated: bool


def make_pack(
    settings: Settings,
    *,
    month: date | None = None,
    audience: str = "board",
    out: Path | None = None,
    made_on: date | None = None,
) -> Pack:
    """Make the pack of a month (default: the newest whole one) from the published build, and write both files.

    They go to ``out``, by default ``packs/`` in the home; files of the same month and audience are replaced. Raises
    ``NoFiguresError``, ``OutlineError``, ``DisclosureError`` and ``OSError``.
    """
    content, pictures = read_content(settings, month=month, audience=audience, made_on=made_on)
    folder = out or settings.home / "packs"
    folder.mkdir(parents=True, exist_ok=True)
    values = content.values
    simulated = "simulated_" if values["is_simulated"] else ""
    stem = f"{simulated}performance_pack_{audience}_{values['file_month']}"
    pack = Pack(folder / f"{stem}.html", folder / f"{stem}.pdf", values["month"], values["is_simulated"])
    html, pdf = as_html(content, pictures), as_pdf(content, pictures)
    for path, written in ((pack.html, html.encode()), (pack.pdf, pdf)):
        draft = path.with_suffix(".tmp")
        draft.write_bytes(written)
        draft.replace(path)
    return pack


def read_content(
    settings: Settings, *, month: date | None = None, audience: str = "board", made_on: date | None = None
) -> tuple[PackContent, dict[str, bytes]]:
    """Return what a pack says, and its charts as SVG by name. Raises as ``make_pack`` does."""
    day = made_on or datetime.now().astimezone().date()
    with connect(settings, application_name="saferkc pack") as connection:
        # one build throughout, whatever is published meanwhile
        connection.execute("set transaction isolation level repeatable read, read only")
        content = make_content(connection, settings, month=month, audience=audience, made_on=day)
    return content, {name: draw(series, "svg") for name, series in content.charts.items()}


def as_html(content: PackContent, pictures: dict[str, bytes]) -> str:
    """Return the pack as one HTML page with its charts (SVG by name) in it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    charts = {
        name: {
            "source": f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}",
            "words": description(content.charts[name]),
        }
        for name, picture in pictures.items()
    }
    return environment.get_template(_HTML).render(**content.values, charts=charts)


def as_pdf(content: PackContent, pictures: dict[str, bytes]) -> bytes:
    """Return the pack as tagged PDF (PDF/UA-1), its charts as pictures with their description."""
    pdf = _compiled(content, pictures, form="pdf", pdf_standards=["ua-1"], timestamp=0)
    if not isinstance(pdf, bytes):
        raise TypeError("the compiler returned no PDF")
    return pdf


def as_pages(content: PackContent, pictures: dict[str, bytes]) -> list[bytes]:
    """Return the pages of the PDF as PNG, for documents about the pack."""
    pages = _compiled(content, pictures, form="png", ppi=80.0)
    return [pages] if isinstance(pages, bytes) else list(pages or ())


def _compiled(
    content: PackContent, pictures: dict[str, bytes], *, form: Literal["pdf", "png"], **options: Any
) -> bytes | list[bytes] | None:
    with tempfile.TemporaryDirectory(prefix="saferkc-pack-") as name:
        folder = Path(name)
        shutil.copy(TEMPLATES / _PDF, folder / _PDF)
        for chart, picture in pictures.items():
            (folder / f"{chart}.svg").write_bytes(picture)
        said = {chart: description(series) for chart, series in content.charts.items()}
        (folder / "content.json").write_text(json.dumps(content.values | {"charts": said}), encoding="utf-8")
        compiled: bytes | list[bytes] | None = typst.compile(
            folder / _PDF, root=folder, font_paths=[Path(matplotlib.get_data_path()) / "fonts" / "ttf"],
            ignore_system_fonts=True, format=form, **options,
        )  # fmt: skip
    return compiled
