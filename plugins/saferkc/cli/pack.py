"""``saferkc pack``: the monthly report for the Board."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from saferkc.cli.console import say
from saferkc.orchestration.lifecycle import database_up
from saferkc.settings import Settings

# of docs/performance-pack.md, by page
_PAGES = ("performance-pack-1", "performance-pack-burglary")


def write_pack(settings: Settings, *, month: date | None, audience: str, out: Path | None) -> None:
    """Make the pack and say where it lies. Raises what ``make_pack`` raises."""
    from saferkc.pack.write import make_pack

    with database_up(settings):
        pack = make_pack(settings, month=month, audience=audience, out=out)
    say(f"The pack of {pack.month}: {pack.html}")
    say(f"As PDF: {pack.pdf}")
    if pack.is_simulated:
        say("Its data are simulated: it may not be published.")


def draw_pages(settings: Settings) -> None:
    """Draw the pages of the pack that docs/performance-pack.md shows, of the published build."""
    from saferkc.pack.write import as_pages, read_content

    with database_up(settings):
        content, pictures = read_content(settings)
    # with this section alone, it begins on the second page however long the others are
    burglary = [section for section in content.values["sections"] if section["title"] == "Burglary"]
    pages = as_pages(replace(content, values=content.values | {"sections": burglary}), pictures)
    for name, page in zip(_PAGES, pages, strict=False):
        path = settings.project_root / "docs" / "images" / f"{name}.png"
        path.write_bytes(page)
        say(f"{path} drawn")
