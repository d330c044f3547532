"""From a built mart to a published one: ledger of builds, audit, the one transaction, data docs."""

from saferkc.publishing.audit import AuditHeldError, AuditResult, BuildFailedError, audit
from saferkc.publishing.delivery_checks import CheckSummary, check_deliveries
from saferkc.publishing.documents import build_data_docs
from saferkc.publishing.ledger import BuildInProgressError, BuildStart, begin_build, finish_build
from saferkc.publishing.transaction import NotPublishableError, PublishResult, publish, retire

__all__ = [
    "AuditHeldError",
    "AuditResult",
    "BuildFailedError",
    "BuildInProgressError",
    "BuildStart",
    "CheckSummary",
    "NotPublishableError",
    "PublishResult",
    "audit",
    "begin_build",
    "build_data_docs",
    "check_deliveries",
    "finish_build",
    "publish",
    "retire",
]
