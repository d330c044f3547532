"""Recording changes: found, and told apart from real changes and from faults of the data.

``examine`` takes a ``Feed`` of monthly counts and returns ``Change``s; it reads and writes nothing. ``read`` gets the
series from the warehouse, ``published`` from files as they are published, ``register`` what is known beforehand.
``docs/recording-changes.md`` says how it works and where it is weak.
"""

from saferkc.recording.detect import examine
from saferkc.recording.findings import Change, Effect, Finding
from saferkc.recording.judging.known import KnownChange
from saferkc.recording.series import Feed, Panel, Rate

__all__ = ["Change", "Effect", "Feed", "Finding", "KnownChange", "Panel", "Rate", "examine"]
