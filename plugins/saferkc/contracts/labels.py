"""Labels as agencies print them, folded so that two spellings of one label are the same."""

from __future__ import annotations

import re


def fold_label(label: str) -> str:
    """Fold case, spacing, ``&`` and ``and``, ``St.`` and ``St``; dbt's macro ``fold_label`` does the same."""
    folded = re.sub(r"\bst\.", "st", label.casefold().replace("&", " and "))
    return " ".join(folded.split())
