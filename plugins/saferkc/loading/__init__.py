"""Loading: landed documents become typed rows in raw, every version kept, every row accounted for."""

from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.load import LoadSummary, load_arrivals

__all__ = ["LoadSummary", "QuarantinedRow", "Refused", "load_arrivals"]
