"""The base of every part of a contract: no unknown key, nothing changed after reading."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Forbids unknown keys, so a misspelt key is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
