"""Forms that only our own pages can send: a token in the form that belongs to a cookie and a person.

Another site can make a browser post here, but neither read the token nor (``SameSite=Strict``) have the cookie sent.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import HTTPException, Request, Response, status

from saferkc.pages.access import Person
from saferkc.settings import Settings

COOKIE = "saferkc_form"
_SECRET = "pages_form_secret"  # noqa: S105 - its name


def form_token(settings: Settings, nonce: str, person: Person) -> str:
    """The token that a form carries for the browser with this nonce in its cookie, and this person."""
    message = f"{nonce}\0{person.name}".encode()
    return hmac.new(settings.secret(_SECRET), message, hashlib.sha256).hexdigest()


def nonce_of(request: Request) -> str:
    """The nonce of the browser's cookie, or a new one."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(24)


def keep_nonce(request: Request, response: Response, nonce: str) -> None:
    """Have the browser keep its nonce."""
    if request.cookies.get(COOKIE) != nonce:
        response.set_cookie(
            COOKIE,
            nonce,
            path=request.scope["root_path"] or "/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )


def check_form(request: Request, settings: Settings, person: Person, token: str) -> None:
    """Raise ``HTTPException`` 403 where the form was not sent from one of our own pages, shown to this person."""
    nonce = request.cookies.get(COOKIE)
    from_elsewhere = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
    if (
        nonce is None
        or from_elsewhere
        or not hmac.compare_digest(token.encode(), form_token(settings, nonce, person).encode())
    ):
        raise HTTPException(
            status.HTTP_403_FORBIDDEN,
            "This form is no longer valid, and nothing was changed. Go back, load the page again and send it anew.",
        )
