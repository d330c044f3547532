"""Why a file can't be landed, or a document can't be opened, in words for the people who mend it."""

from __future__ import annotations


class LandingError(Exception):
    """A file can't be landed or read back; the message says which and why."""


class UnlockError(LandingError):
    """A document can't be unlocked; the message says why and what to do, and holds no secret."""


class BombError(LandingError):
    """A document unpacks to so much more than it is that it is taken for a zip bomb."""
