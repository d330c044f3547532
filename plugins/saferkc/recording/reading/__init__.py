"""The detector's series from the warehouse's raw tables: the one part of it that knows a database."""

from saferkc.recording.reading.feeds import FEEDS, read_feeds

__all__ = ["FEEDS", "read_feeds"]
