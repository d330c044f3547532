"""Keyed tokens: what stands in the warehouse in place of an identity."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import polars as pl

from saferkc.contracts.origin import TokenPart
from saferkc.privacy.normalise import NORMALISERS

_DIGITS = 32  # of the HMAC: 128 bits, so that two people of a city never meet by chance
_BETWEEN = "\x1f"


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

    Names that stand side by side are one: an agency that has a column for the whole name and one that has two
    make the same token.
    """
    if frame.width != len(parts):
        raise ValueError(f"{frame.width} columns were given for {len(parts)} parts of a token")
    fields: list[pl.Expr] = []
    kinds: list[str] = []
    missing = pl.lit(False)
    usable: list[pl.Series] = []
    for n, (part, given) in enumerate(zip(parts, frame, strict=True)):
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
