"""Who may see which counts, read from ``expectations/disclosure.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

# what a relation is that nobody has judged
_DEFAULT = "about_people"


class DisclosureError(Exception):
    """The rules can't be used, or an audience or a figure has none; the message says what to mend."""


class Rule(BaseModel):
    """How counts are shown: ``suppress_up_to`` is a count (-1: none is suppressed), ``round_to`` a step of counts.

    ``values_left`` is how many whole numbers a suppressed count must still be able to be.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    suppress_up_to: Annotated[int, Field(ge=-1)]
    round_to: Annotated[int, Field(ge=1)]
    values_left: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _can_be_kept(self) -> Rule:
        if self.values_left > self.suppress_up_to + 1:
            raise ValueError(f"a count of {self.suppress_up_to} or fewer can't be {self.values_left} different numbers")
        if self.round_to > 1 and self.suppress_up_to < self.round_to // 2:
            raise ValueError(f"counts that are rounded to 0 must be suppressed: more than {self.suppress_up_to}")
        return self


class DisclosureRules(BaseModel):
    """All rules. Keys of ``audiences`` are audiences, their values a rule for each sensitivity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: dict[str, Rule]
    sensitivities: dict[str, list[str]]
    audiences: dict[str, dict[str, str]]

    @model_validator(mode="after")
    def _is_whole(self) -> DisclosureRules:
        if _DEFAULT not in self.sensitivities:
            raise ValueError(f"the sensitivity {_DEFAULT} is missing, which every relation has that is not named")
        named = [relation for relations in self.sensitivities.values() for relation in relations]
        twice = sorted({relation for relation in named if named.count(relation) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stand under several sensitivities")
        for audience, chosen in self.audiences.items():
            if set(chosen) != set(self.sensitivities):
                raise ValueError(f"audience {audience} must have one rule for each of {', '.join(self.sensitivities)}")
            unknown = sorted(set(chosen.values()) - set(self.rules))
            if unknown:
                raise ValueError(f"audience {audience} has a rule that is not there: {', '.join(unknown)}")
        return self

    def rule(self, audience: str, relation: str) -> Rule:
        """Return the rule for figures of a relation (``schema.table``). Raises ``DisclosureError``."""
        if audience not in self.audiences:
            known = ", ".join(self.audiences)
            raise DisclosureError(f"there is no audience {audience} in the rules of disclosure; there are: {known}")
        return self.rules[self.audiences[audience][self._sensitivity(relation)]]

    def strictest(self, relation: str) -> Rule:
        """Return the strictest of all audiences' rules for a relation: for what anybody may come to read."""
        chosen = [self.rules[rules[self._sensitivity(relation)]] for rules in self.audiences.values()]
        return max(chosen, key=lambda rule: (rule.suppress_up_to, rule.round_to, rule.values_left))

    def _sensitivity(self, relation: str) -> str:
        return next((name for name, named in self.sensitivities.items() if relation in named), _DEFAULT)


def read_rules(path: Path) -> DisclosureRules:
    """Read the rules. Raises ``DisclosureError`` where they are missing or make no sense."""
    try:
        return DisclosureRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DisclosureError(f"the rules of disclosure can't be read: {path} ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise DisclosureError(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise DisclosureError(f"{path}: {said}") from error
