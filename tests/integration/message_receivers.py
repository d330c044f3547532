"""Receivers of messages, real ones in this process: a mail server (aiosmtpd, TLS) and a web hook, also with TLS."""

from __future__ import annotations

import email
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from loopback import serving
from saferkc.warehouse.embedded import free_port

PASSWORD = "open:sesame@mail"  # noqa: S105


@dataclass
class MailServer:
    """What a mail server took, each with the addresses of its envelope; ``refusals`` are answers by address."""

    scheme: str = "smtp"
    port: int = 0
    ca: Path = Path()
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        assert self.scheme == "smtps" or session.ssl is not None, "sent in the clear"
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((envelope.rcpt_tos, message))
        return "250 taken"

    @property
    def url(self) -> str:
        return f"{self.scheme}://warehouse:open%3Asesame%40mail@127.0.0.1:{self.port}"


def with_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on this machine shows who it is by, and the certificate of the authority that says so."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = folder / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return context, file


@contextmanager
def mail_server(folder: Path, scheme: str = "smtp") -> Iterator[MailServer]:
    """A mail server that takes mail after STARTTLS (``smtps``: with TLS from the first byte) and a password only."""
    context, ca = with_tls(folder)
    server = MailServer(scheme=scheme, ca=ca)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=is_right)

    tls: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    if scheme == "smtps":
        tls = {"ssl_context": context, "auth_require_tls": False}
    controller = Controller(
        server, hostname="127.0.0.1", port=free_port(), auth_required=True, authenticator=check, **tls
    )
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class WebHook:
    """What a web hook took, and under which path; ``is_down`` answers with an error."""

    port: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    is_down: bool = False

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/team"


@contextmanager
def web_hook(context: ssl.SSLContext | None = None) -> Iterator[WebHook]:
    """A receiver of posted JSON, with TLS where ``context`` is given."""
    hook = WebHook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if not hook.is_down:
                hook.taken.append(json.loads(content))
                hook.paths.append(self.path)
            self.send_response(503 if hook.is_down else 200)
            self.end_headers()
            if not hook.is_down:
                self.wfile.write(b"ok")  # as Slack says it

    with serving(Handler, context) as hook.port:
        yield hook
