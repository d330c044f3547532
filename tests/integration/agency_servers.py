"""Agencies' servers, real ones in this process: SFTP (asyncssh) and a paged JSON API over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncssh
import trustme
import yaml
from saferkc.landing.transports import Endpoint
from saferkc.settings import Settings
from small_contracts import column, small_contract

PASSWORD = "open sesame, agency"  # noqa: S105
TOKEN = "token-that-must-not-be-seen"  # noqa: S105


def home_with_feeds(folder: Path) -> Settings:
    """A home of a project with two feeds: ``notes`` of the police (files) and ``actions`` of the council (an API)."""
    contracts = folder / "project" / "expectations" / "contracts"
    contracts.mkdir(parents=True)
    dated = {"extract": "changes", "extract_date": "day"}
    notes = small_contract(
        [column("note_id", primaryKey=True)],
        feed="notes",
        source="police",
        patterns=[r"^(simulated_)?notes_(?P<day>\d{8})\.csv$"],
        examples=["notes_20170403.csv"],
        **dated,
    )
    actions = small_contract(
        [column("action_id", origin={"path": "id"}, primaryKey=True), column("what", origin={"path": "what"})],
        feed="actions",
        source="council",
        format="json_lines",
        records_path="items",
        patterns=[r"^(simulated_)?actions_(?P<day>\d{8})\.jsonl$"],
        examples=["actions_20170403.jsonl"],
        **dated,
    )
    for contract in (notes, actions):
        text = yaml.safe_dump(contract.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        (contracts / f"{contract.feed}.yaml").write_text(text)
    return Settings(home=folder / "home", project_root=folder / "project", external_warehouse_url=None)


class SftpAgency:
    """An SFTP server on a folder. ``while_reading`` is called before each block that it gives out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.while_reading: Callable[[], None] | None = None
        self.logins = 0
        self.opened: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def host_key(self) -> str:
        """The line of ``known_hosts``."""
        return self.key.export_public_key().decode().strip()

    def endpoint(self, **extra: Any) -> Endpoint:
        """A connection to it that works, unless ``extra`` says otherwise."""
        options = {"host_key": self.host_key, "settle_seconds": 0.05} | extra
        return Endpoint(
            "saferkc_police", "sftp", host="127.0.0.1", port=self.port, login="saferkc", password=PASSWORD,
            extra=options,
        )  # fmt: skip

    def serve(self, keys: list[asyncssh.SSHKey] | None = None) -> None:
        """Begin to serve (again), on the same port if there was one, with the host keys given."""
        self._loop.run_until_complete(self._listen(keys or [self.key]))
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving, with all that is open."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        while self._loop.is_running():
            time.sleep(0.01)

    async def _listen(self, keys: list[asyncssh.SSHKey]) -> None:
        agency = self

        class Door(asyncssh.SSHServer):
            def begin_auth(self, _: str) -> bool:
                agency.logins += 1
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return username == "saferkc" and password == PASSWORD

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, _: str, key: asyncssh.SSHKey) -> bool:
                return key.public_data == agency.client_key.public_data

        class Files(asyncssh.SFTPServer):
            def __init__(self, chan: Any) -> None:
                super().__init__(chan, chroot=str(agency.folder).encode())

            async def read(self, file_obj: object, offset: int, size: int) -> bytes:
                if agency.while_reading is not None:
                    await asyncio.get_running_loop().run_in_executor(None, agency.while_reading)
                return super().read(file_obj, offset, size)  # type: ignore[return-value]

            def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
                agency.opened.append(Path(path.decode()).name)
                return super().open(path, pflags, attrs)

        self._acceptor = await asyncssh.listen(
            "127.0.0.1", self.port, server_factory=Door, server_host_keys=keys, sftp_factory=Files, config=None
        )
        self.port = self._acceptor.get_port()

    async def _close(self) -> None:
        assert self._acceptor is not None
        self._acceptor.close()
        await self._acceptor.wait_closed()
        open_still = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_still:
            task.cancel()
        await asyncio.gather(*open_still, return_exceptions=True)


@contextmanager
def sftp_agency(folder: Path) -> Iterator[SftpAgency]:
    """An SFTP server for the length of a test."""
    folder.mkdir(parents=True, exist_ok=True)
    agency = SftpAgency(folder)
    agency.serve()
    yield agency
    agency.stop()


@dataclass
class Asked:
    """One request as it came."""

    page: int
    query: dict[str, str]
    authorization: str | None
    at: float


@dataclass
class Answer:
    """An answer other than the usual one."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    # break off in the middle of the body
    is_cut: bool = False


# gives an answer of its own for a page, or changes the usual one (its JSON) in place and returns None
Doing = Callable[[int, dict[str, Any]], Answer | None]


@lru_cache
def _identity() -> tuple[trustme.CA, trustme.LeafCert]:
    """An authority that nobody else trusts, and a certificate of it: made once, since keys take their time."""
    authority = trustme.CA()
    return authority, authority.issue_cert("localhost", "127.0.0.1")


class ApiAgency:
    """A paged JSON API over TLS. ``doing`` may put faults in; it is called with the page and the usual answer."""

    def __init__(self, folder: Path) -> None:
        authority, certificate = _identity()
        self.ca_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self.records: list[dict[str, Any]] = []
        self.page_size = 10
        self.is_linked = False
        self.doing: Doing | None = None
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]

    def endpoint(self, token: str = TOKEN, **extra: Any) -> Endpoint:
        """A connection to it that works, unless ``extra`` says otherwise."""
        options = {"path": "/v1/actions", "ca_file": str(self.ca_file), "backoff_seconds": 0.01} | extra
        return Endpoint("saferkc_council", "http", host="localhost", port=self.port, password=token, extra=options)

    @property
    def pages_asked(self) -> list[int]:
        """The pages that were asked for, in order."""
        return [asked.page for asked in self.asked]

    def serve(self) -> None:
        """Begin to serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def usual(self, page: int) -> dict[str, Any]:
        """The answer for a page when all is well."""
        begin = (page - 1) * self.page_size
        pages = max(1, -(-len(self.records) // self.page_size))
        body: dict[str, Any] = {"items": self.records[begin : begin + self.page_size]}
        if self.is_linked:
            return body | {"next": f"/v1/actions?cursor={page + 1}" if page < pages else None}
        return body | {"page": page, "pages": pages, "total": len(self.records)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        agency = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                page = int(query.get("page") or query.get("cursor") or 1)
                agency.asked.append(Asked(page, query, self.headers["Authorization"], time.monotonic()))
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    return self._send(Answer(401))
                usual = agency.usual(page)
                answer = agency.doing(page, usual) if agency.doing else None
                self._send(answer or Answer(), usual)
                return None

            def _send(self, answer: Answer, usual: dict[str, Any] | None = None) -> None:
                body = answer.body if answer.body is not None else json.dumps(usual or {}).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if answer.is_cut else body)
                self.close_connection = answer.is_cut

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def api_agency(folder: Path) -> Iterator[ApiAgency]:
    """An API for the length of a test."""
    agency = ApiAgency(folder)
    agency.serve()
    yield agency
    agency.stop()
