"""Why nothing could be fetched, in words for the engineer who mends it."""

from __future__ import annotations


class FetchError(Exception):
    """A fetch failed; the message says why and what to do, and holds neither a secret nor a value of a record.

    ``is_passing``: it may well work in a few minutes, with nothing mended (no answer, too many requests).
    """

    def __init__(self, message: str, *, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing
