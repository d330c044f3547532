"""As whom the pages take somebody: what his role does not say gives him no counts."""

from __future__ import annotations

import pytest
from saferkc.disclosure import read_rules
from saferkc.pages.access import Person, audience_of
from saferkc.settings import Settings


@pytest.mark.parametrize(
    ("may_answer", "runs_it", "audience"),
    [
        (False, False, "partnership"),
        # rights that do not go together are no role of ours
        (False, True, "partnership"),
        (True, False, "community_safety_team"),
        (True, True, "engineers"),
    ],
)
def test_a_role_is_an_audience_that_has_rules(may_answer: bool, runs_it: bool, audience: str) -> None:
    assert audience_of(may_answer=may_answer, runs_it=runs_it) == audience
    rule = read_rules(Settings.load().disclosure_file).rule(audience, "vawg.vawg_monthly")
    assert (rule.suppress_up_to < 7) == (audience == "engineers")


def test_a_person_of_whom_nothing_else_is_known_is_of_the_strictest_audience() -> None:
    rules = read_rules(Settings.load().disclosure_file)
    unknown = Person("Ada", may_answer=True).audience
    assert rules.rule(unknown, "vawg.vawg_monthly") == rules.strictest("vawg.vawg_monthly")
