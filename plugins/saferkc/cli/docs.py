"""``saferkc docs``: pages that are made from dbt's artifacts and kept in the repository."""

from __future__ import annotations

from saferkc.cli.console import say
from saferkc.orchestration.dbt import parse_apart
from saferkc.publishing import diagram
from saferkc.settings import Settings


def draw_stars(settings: Settings) -> None:
    """Draw the stars anew from the models as they stand, and say whether anything changed."""
    changed = diagram.draw(settings, parse_apart(settings))
    say(f"{diagram.stars_file(settings)}: {'drawn anew' if changed else 'in step already'}")


def check_stars(settings: Settings) -> int:
    """Check that the drawn stars are those of the models; return the exit status."""
    if diagram.stale(settings, parse_apart(settings)):
        say(f"{diagram.stars_file(settings)}: not in step with the models; run `saferkc docs diagram`")
        return 1
    say("The stars are drawn as the models are.")
    return 0
