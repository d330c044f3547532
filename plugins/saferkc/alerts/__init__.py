"""The alert ledger: what people should know of, who has taken it on, and the mail that tells them."""

from saferkc.alerts.ledger import (
    Alert,
    AlertNotFoundError,
    acknowledge_alert,
    list_alerts,
    raise_alert,
    resolve,
    resolve_alert,
)
from saferkc.alerts.mail import address_of, send_mail

__all__ = [
    "Alert",
    "AlertNotFoundError",
    "acknowledge_alert",
    "address_of",
    "list_alerts",
    "raise_alert",
    "resolve",
    "resolve_alert",
    "send_mail",
]
