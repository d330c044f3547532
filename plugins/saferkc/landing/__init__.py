"""Landing: what arrives is kept byte for byte and handed to the feeds that take it."""

from saferkc.landing.inbox import feeds_with_work, is_simulated, receive, replay
from saferkc.landing.store import open_document

__all__ = ["feeds_with_work", "is_simulated", "open_document", "receive", "replay"]
