"""Transports: how an agency's files come into the inbox. Each is chosen by an Airflow connection."""

from saferkc.landing.transports.endpoint import Endpoint, endpoint_of, is_transport, source_of
from saferkc.landing.transports.errors import FetchError

__all__ = ["Endpoint", "FetchError", "endpoint_of", "is_transport", "source_of"]
