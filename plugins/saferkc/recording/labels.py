"""Which series and classes of the marts count by the labels of a change, as the newest build worked it out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from saferkc.warehouse.connection import Connection

_CLASSES = """
select change_id, label, is_of_whole, is_parent, series, class_name
from intermediate.int_recording__classes_of_labels
order by change_id, not is_of_whole, not is_parent, series, class_name
"""


@dataclass(frozen=True)
class Counted:
    """What counts by the labels of one change: series, those of the whole first, and (series, class) by label."""

    series: tuple[str, ...] = ()
    classes: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def pair(self, old: str, new: str) -> tuple[str, str, str] | None:
        """Series, class of the old label and class of the new one; None where they have no one series in common."""
        found = [
            (series, one, other)
            for series, one in self.classes.get(old, ())
            for of_other, other in self.classes.get(new, ())
            if series == of_other
        ]
        return found[0] if len(found) == 1 else None


def read_counted(connection: Connection) -> dict[int, Counted]:
    """What counts by the labels of each change that the newest build has seen; nothing before the first build."""
    is_built = connection.execute("select to_regclass('intermediate.int_recording__classes_of_labels')").fetchone()
    if is_built is None or is_built[0] is None:
        return {}
    series: dict[int, dict[str, None]] = defaultdict(dict)
    classes: dict[int, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for change_id, label, is_of_whole, _, name, class_name in connection.execute(_CLASSES).fetchall():
        series[change_id][name] = None
        if class_name and not is_of_whole:
            classes[change_id][label].add((name, class_name))
    return {
        change_id: Counted(tuple(names), {label: frozenset(own) for label, own in classes[change_id].items()})
        for change_id, names in series.items()
    }
