"""What messages say. The words are templates that a person can edit (``templates/*.md``), one a kind of message."""

from saferkc.alerts.messages.compose import compose

__all__ = ["compose"]
