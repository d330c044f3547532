"""The suites on the marts: one YAML file a mart schema in ``expectations/suites/``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from saferkc.publishing.checks import NO_ROWS, Check


class SuiteError(Exception):
    """A suite's file is wrong; the message names the file, the place in it and what was expected."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SuiteCheck(_Strict):
    """A check on a mart. Give ``expectation`` (a name of Great Expectations) or ``finds_nothing`` (SQL).

    The SQL returns one row a fault; ``{batch}`` is the built table, and ``{build_id}`` the build's number.
    """

    name: str
    severity: Literal["error", "warning"]
    owner: str
    meaning: str
    next_step: str
    column: str | None = None
    expectation: str | None = Field(default=None, pattern=r"^expect_[a-z_]+$")
    arguments: dict[str, Any] = {}
    finds_nothing: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> SuiteCheck:
        if (self.expectation is None) == (self.finds_nothing is None):
            raise ValueError("give either `expectation` or `finds_nothing`")
        if self.finds_nothing is not None and "{batch}" not in self.finds_nothing:
            raise ValueError("`finds_nothing` must read from {batch}")
        return self

    def check(self, build_id: int) -> Check:
        """The check, for one build."""
        query = self.finds_nothing
        return Check(
            name=self.name,
            expectation=self.expectation or NO_ROWS,
            severity=self.severity,
            meaning=" ".join(self.meaning.split()),
            next_step=" ".join(self.next_step.split()),
            owner=self.owner,
            column=self.column,
            arguments=self.arguments,
            query=query.replace("{build_id}", str(build_id)) if query else None,
        )


class SuiteTable(_Strict):
    """The checks of one table of the schema."""

    table: str
    checks: list[SuiteCheck] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> SuiteTable:
        names = [check.name for check in self.checks]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.table}: two checks have the same name")
        return self


class Suite(_Strict):
    """What we expect of the marts of one schema."""

    schema_name: str = Field(alias="schema")
    description: str
    tables: list[SuiteTable] = Field(min_length=1)


def load_suites(directory: Path) -> list[Suite]:
    """Read the suites, by schema. Raises ``SuiteError`` where one is wrong or there is none."""
    suites = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except yaml.YAMLError as error:
            raise SuiteError(f"{path.name}: not readable as YAML: {error}") from error
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise SuiteError(f"{path.name}: {faults}") from error
        if suite.schema_name != path.stem:
            raise SuiteError(f"{path.name}: a suite's file is called by its schema, here {suite.schema_name}")
        suites.append(suite)
    if not suites:
        raise SuiteError(f"no suite in {directory}")
    return suites
