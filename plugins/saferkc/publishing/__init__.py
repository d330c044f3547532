"""From a built mart to a published one: ledger of builds, audit, the one transaction, data docs."""

from saferkc.publishing.ledger import BuildInProgressError, BuildStart, begin_build, finish_build
from saferkc.publishing.transaction import NotPublishableError, PublishResult, publish, retire

__all__ = [
    "BuildInProgressError",
    "BuildStart",
    "NotPublishableError",
    "PublishResult",
    "begin_build",
    "finish_build",
    "publish",
    "retire",
]
