"""Landing: what arrives is fetched, kept byte for byte and handed to the feeds that take it."""

from saferkc.landing.fetch import bring_in
from saferkc.landing.inbox import feeds_with_work, is_simulated, receive, replay
from saferkc.landing.store import open_document
from saferkc.landing.transports import FetchError

__all__ = ["FetchError", "bring_in", "feeds_with_work", "is_simulated", "open_document", "receive", "replay"]
