"""The alert ledger: what people should know of, who has taken it on, and the messages that tell them."""

from saferkc.alerts.ledger import (
    WAREHOUSE,
    Alert,
    AlertEvent,
    AlertNotFoundError,
    acknowledge_alert,
    list_alerts,
    raise_alert,
    read_alert,
    read_history,
    resolve,
    resolve_alert,
    resolve_shown,
    settle,
)

__all__ = [
    "WAREHOUSE",
    "Alert",
    "AlertEvent",
    "AlertNotFoundError",
    "acknowledge_alert",
    "list_alerts",
    "raise_alert",
    "read_alert",
    "read_history",
    "resolve",
    "resolve_alert",
    "resolve_shown",
    "settle",
]
