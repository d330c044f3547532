"""What a pack shows: the sections, series and figures of ``board.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FOLDER = Path(__file__).parent


class OutlineError(Exception):
    """There is no outline for the audience, or it can't be used; the message says what to mend."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Strict):
    """A series of the tables: a class of a monthly mart."""

    label: str
    mart: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    class_: Annotated[str, Field(alias="class")]
    parts_of: str | None = None
    adds_up: bool = True
    by_month: bool = True

    def shows(self, months: int) -> bool:
        """Whether sums over so many months are shown."""
        return self.by_month if months == 1 else self.adds_up


class PlanFigure(_Strict):
    """A figure of the plan: a count, or the columns of counts from which a share or a change is worked out."""

    figure: str
    mart: str | None = None
    part: str | None = None
    whole: str | None = None
    change_of: str | None = None
    years: Annotated[int, Field(ge=1)] | None = None
    sum_of: str | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> PlanFigure:
        share, change = (self.part, self.whole), (self.change_of, self.years)
        if any(share) != all(share) or any(change) != all(change) or (any(share) and any(change)):
            raise ValueError(f"{self.figure} needs part and whole, or change_of and years, or none of them")
        if any((*share, *change)) != (self.mart is not None):
            raise ValueError(f"{self.figure} needs the mart that its columns are of")
        return self


class Section(_Strict):
    """A priority."""

    title: str
    about: str
    rows: list[Row]
    charts: list[str] = []
    plan: list[PlanFigure] = []

    @model_validator(mode="after")
    def _names_its_rows(self) -> Section:
        labels = {row.label for row in self.rows}
        named = {*self.charts, *(row.parts_of for row in self.rows), *(figure.sum_of for figure in self.plan)} - {None}
        if len(labels) < len(self.rows) or not named <= labels:
            raise ValueError(f"{self.title}: a label stands twice, or is named that no row has")
        if any(row.label in self.charts and not row.by_month for row in self.rows):
            raise ValueError(f"{self.title}: a chart shows months, so its row can't be by_month: false")
        return self


class Outline(_Strict):
    """A whole pack."""

    title: str
    sections: list[Section]

    def relations(self) -> set[str]:
        """The marts that it names, as ``schema.table``."""
        rows = {row.mart for section in self.sections for row in section.rows}
        return rows | {figure.mart for section in self.sections for figure in section.plan if figure.mart}


def read_outline(audience: str) -> Outline:
    """Read the pack of an audience. Raises ``OutlineError``."""
    path = FOLDER / f"{audience}.yaml"
    if not audience.isidentifier() or not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise OutlineError(f"there is no pack for {audience}; there is one for: {known}")
    try:
        return Outline.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise OutlineError(f"{path.name} can't be used: {error}") from error
