"""Keyed tokens: what stands in the warehouse in place of an identity."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import polars as pl

from saferkc.contracts import Contract
from saferkc.contracts.origin import TokenPart
from saferkc.privacy.keys import KeyRing
from saferkc.privacy.normalise import NORMALISERS
from saferkc.privacy.sensitivity import is_open
from saferkc.privacy.strays import Strays
from saferkc.settings import Settings

_DIGITS = 32  # of the HMAC: 128 bits, so that two people of a city never meet by chance
_BETWEEN = "\x1f"


class Tokeniser:
    """Puts a contract's tokens in place of their parts, block by block of a document."""

    def __init__(self, contract: Contract, ring: KeyRing) -> None:
        """Fetch the current keys, one for each purpose; raises ``KeyRingError`` where one is lost."""
        self._columns = [
            (column.name, column.part_names, column.token.parts, *ring.current(column.token.purpose))
            for column in contract.columns
            if column.token
        ]
        self._strays = Strays(contract)

    @classmethod
    def of(cls, settings: Settings, contract: Contract) -> Tokeniser | None:
        """Return what makes the contract's tokens with the home's keys, or None for open data."""
        return None if is_open(contract) else cls(contract, KeyRing(settings))

    @property
    def searched(self) -> list[str]:
        """Columns in which an identity may have gone astray; ``STRAY`` of a frame names the one where it has."""
        return self._strays.columns

    def __call__(self, text: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with tokens and without what they were made of; a part that it lacks counts as empty."""
        tokens = []
        for name, part_names, parts, key_id, key in self._columns:
            missing = [pl.lit(None, pl.String).alias(part) for part in part_names if part not in text.columns]
            identities = text.with_columns(missing).select(part_names)
            tokens.append(token_column(identities, parts, key_id, key).alias(name))
        parts_met = [name for _, part_names, *_ in self._columns for name in part_names if name in text.columns]
        return text.drop(parts_met).with_columns(*tokens, self._strays(text))


def token_column(frame: pl.DataFrame, parts: Sequence[TokenPart], key_id: str, key: bytes) -> pl.Series:
    """Return the token of each row of ``frame``, whose columns are the parts' texts in the order of ``parts``.

    A token is ``<key id>:<32 hexadecimal digits>``, the HMAC-SHA-256 of the normalised parts. It is null where a
    part that is not optional is empty or unusable: half an identity would make one person of many.
    """
    identities = canonical(frame, parts)
    tokens = {
        identity: f"{key_id}:{hmac.digest(key, identity.encode(), 'sha256').hex()[:_DIGITS]}"
        for identity in identities.unique().drop_nulls()
    }
    return pl.Series("token", [tokens.get(identity) for identity in identities], dtype=pl.String)


def canonical(frame: pl.DataFrame, parts: Sequence[TokenPart]) -> pl.Series:
    """Return each row's identity in the one way of writing that goes under the key.

    Names that stand side by side are one, and so are an address and its postcode: an agency that has a column for
    the whole and one that has two make the same token.
    """
    if frame.width != len(parts):
        raise ValueError(f"{frame.width} columns were given for {len(parts)} parts of a token")
    fields: list[pl.Expr] = []
    kinds: list[str] = []
    missing = pl.lit(False)
    usable: list[pl.Series] = []
    for n, (part, given) in enumerate(zip(*_with_postcodes(frame, parts), strict=True)):
        usable.append(NORMALISERS[part.kind](given).alias(str(n)))
        if not part.optional:
            missing |= pl.col(str(n)).is_null()
        value = pl.col(str(n)).fill_null("")
        if part.kind == "name" and kinds[-1:] == ["name"]:
            fields[-1] = pl.concat_str(fields[-1], value)
        else:
            fields.append(value)
            kinds.append(part.kind)
    written = pl.format(_BETWEEN.join(f"{kind}={{}}" for kind in kinds), *fields)
    return pl.DataFrame(usable).select(pl.when(~missing).then(written).alias("identity"))["identity"]


def _with_postcodes(frame: pl.DataFrame, parts: Sequence[TokenPart]) -> tuple[list[TokenPart], list[pl.Series]]:
    """Put a postcode from a column of its own behind the address before it, where other agencies write it."""
    kept: list[TokenPart] = []
    texts: list[pl.Series] = []
    for part, given in zip(parts, frame, strict=True):
        if part.kind == "postcode" and kept and kept[-1].kind == "address":
            whole = pl.DataFrame([texts[-1].alias("address"), given.alias("postcode")])
            behind = pl.concat_str("address", pl.concat_str(pl.lit(", "), "postcode"), ignore_nulls=False)
            texts[-1] = whole.select(pl.coalesce(behind, "address").alias("address"))["address"]
        else:
            kept.append(part)
            texts.append(given)
    return kept, texts
