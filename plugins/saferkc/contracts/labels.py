"""Labels as agencies print them, folded so that two spellings of one label are the same."""

from __future__ import annotations

import re


def fold_label(label: str) -> str:
    """Fold case, spacing, ``&`` and ``and``, ``St.`` and ``St``.

    Enough to tell a new code from a known one spelt another way. dbt's macro ``fold_label`` folds further
    (M/V, Bldg, dashes), to match the labels of both generations.
    """
    folded = re.sub(r"\bst\.", "st", label.casefold().replace("&", " and "))
    return " ".join(folded.split())
