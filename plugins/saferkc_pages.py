"""Airflow plugin: the warehouse's own pages, under /saferkc/ and in the navigation."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from saferkc.pages import PREFIX, TITLE
from starlette.types import Receive, Scope, Send


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The pages; imported by the first who asks, since schedulers and workers load plugins, too, and show none."""
    from saferkc.pages.app import app  # noqa: PLC0415

    await app(scope, receive, send)


class SaferKcPages(AirflowPlugin):
    """What people look at in the morning: tonight, alerts, recording changes, series, deliveries."""

    name = "saferkc_pages"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [{"app": pages, "url_prefix": PREFIX, "name": TITLE}]
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": TITLE,
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "saferkc",
            "nav_top_level": True,
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
        }
    ]
