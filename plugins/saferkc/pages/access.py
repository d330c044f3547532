"""Who looks at a page and what he may do, by Airflow's own sign-in and auth manager.

Reading needs the right to read the view ``Safer K&C``. Answering needs the right to change it, and to change the DAG
``warehouse``, whose marts an answer changes: the simple auth manager knows no rights of single views, so there the
second decides (roles user, op and admin; not viewer).

Which counts somebody may see is said by his audience (``expectations/disclosure.yaml``). Whoever may read connections
holds the keys of the warehouse; whoever only answers is on the community safety team; all others are partners.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import HTTPException, Request, status

from saferkc.pages import PREFIX, TITLE

_DAG = "warehouse"


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in and may read; what nobody knows of his role gives him no further counts."""

    name: str
    may_answer: bool
    audience: str = "partnership"


class NotSignedInError(Exception):
    """Nobody has signed in; ``login`` is where to do so."""

    def __init__(self, login: str) -> None:
        super().__init__("not signed in")
        self.login = login


async def reader(request: Request) -> Person:
    """The person who asks for a page. Raises ``NotSignedInError``, or ``HTTPException`` 403 where he may not read."""
    # Airflow is imported by its web server before, and takes seconds elsewhere
    from airflow.api_fastapi.app import get_auth_manager  # noqa: PLC0415
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails  # noqa: PLC0415
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user  # noqa: PLC0415

    try:
        user = await get_user(request, None, await bearer_scheme(request))
    except HTTPException as error:
        raise NotSignedInError(_login(request)) from error
    manager = get_auth_manager()
    if not manager.is_authorized_custom_view(method="GET", resource_name=TITLE, user=user):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Your role does not let you read these pages.")
    may_answer = manager.is_authorized_custom_view(
        method="PUT", resource_name=TITLE, user=user
    ) and manager.is_authorized_dag(method="PUT", details=DagDetails(id=_DAG), user=user)
    runs_it = manager.is_authorized_connection(method="GET", user=user)
    return Person(user.get_name(), may_answer, audience_of(may_answer=may_answer, runs_it=runs_it))


def audience_of(*, may_answer: bool, runs_it: bool) -> str:
    """As whom the rules of disclosure take somebody who may answer, or read the connections of the warehouse."""
    if not may_answer:
        return "partnership"
    return "engineers" if runs_it else "community_safety_team"


async def answerer(request: Request) -> Person:
    """As ``reader``; raises ``HTTPException`` 403 where the person may read and not answer."""
    person = await reader(request)
    if not person.may_answer:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            "Your role lets you read these pages and not answer on them. Ask for the role of a user.",
        )
    return person


def _login(request: Request) -> str:
    root = request.scope["root_path"].removesuffix(PREFIX)
    return f"{root}/api/v2/auth/login?{urlencode({'next': str(request.url)})}"
