"""Transport ``http``: records of a JSON API, page by page over HTTPS, as one JSON-lines file."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import certifi
import httpx
import tenacity
from pydantic import Field

from saferkc.landing.transports.endpoint import Endpoint, Options, options_of
from saferkc.landing.transports.errors import FetchError

log = logging.getLogger(__name__)
# one line a request; ours say what matters
logging.getLogger("httpx").setLevel(logging.WARNING)

_TRIES = 6
_LONGEST_BACKOFF_SECONDS = 60
_LARGEST_PAGE_BYTES = 64 << 20
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


class ApiOptions(Options):
    """What the extra of a connection to an API may say. Names of a page's parts are dotted paths in its JSON.

    ``path``: of the first page; ``paths`` by feed, where a source has several. ``records``: the list of records
    (default: what the contract says). Pages are found by ``next`` (a link, null on the last page) where the API
    gives one, else by number. ``page``, ``pages``, ``total``: what a page says of itself, its number, how many
    there are, and how many records in all; what is there is checked. ``as_of``: when the extract was made; it
    must be the same on every page and dates the file. ``since_param``: ask only for what changed since the day
    before the last fetch. ``ca_file``: the authority that signed the server's certificate, where it is not a
    public one. ``simulated``: what comes is simulated, and the file's name says so.
    """

    path: str | None = None
    paths: dict[str, str] = Field(default={})
    params: dict[str, str] = Field(default={})
    records: str | None = None
    next: str = "next"
    page: str = "page"
    pages: str = "pages"
    total: str = "total"
    as_of: str = "as_of"
    page_param: str = "page"
    first_page: int = 1
    page_size_param: str | None = None
    page_size: int = 500
    since_param: str | None = None
    ca_file: str | None = None
    simulated: bool = False
    timeout_seconds: float = 60.0
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 300.0

    def serves(self, feed: str) -> bool:
        """Whether the API has this feed: where ``paths`` names some, the others come in another way."""
        return self.path is not None or not self.paths or feed in self.paths


class RefusedRequestError(FetchError):
    """The API says that it will not answer this request, ever (a status of 400 to 499)."""


class _NoAnswerError(Exception):
    """Not answered this time; ``wait`` is how long the API asks us to wait, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Api:
    """Asks one API for pages, with patience and with the token that the connection holds."""

    def __init__(self, endpoint: Endpoint, options: ApiOptions, client: httpx.Client, base: httpx.URL) -> None:
        self._name = endpoint.name
        self._options = options
        self._client = client
        self._base = base
        self.place = f"https://{base.netloc.decode()}"

    def first_url(self, feed: str, more: Mapping[str, str]) -> str:
        """Return the address of a feed's first page; ``more`` are parameters of this fetch."""
        path = self._options.paths.get(feed, self._options.path)
        if path is None:
            raise FetchError(f"connection {self._name}: set `path` (or `paths`, by feed) in its extra")
        url = self._joined(self._base, path, "`path` in its extra")
        params = dict(self._options.params) | dict(more)
        if self._options.page_size_param:
            params[self._options.page_size_param] = str(self._options.page_size)
        return str(url.copy_merge_params(params))

    def numbered_url(self, first: str, number: int) -> str:
        """Return the address of the page of this number."""
        return str(httpx.URL(first).copy_set_param(self._options.page_param, str(number)))

    def next_url(self, url: str, link: str) -> str:
        """Return the address that a page's link leads to; raises where that is another server's."""
        return str(self._joined(httpx.URL(url), link, f"the link to the next page that {self.place} gives"))

    def get(self, url: str) -> Any:
        """Return the JSON at ``url``. Raises ``FetchError`` when patience has an end or the API refuses."""
        patient = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_NoAnswerError),
            wait=self._wait,
            stop=tenacity.stop_after_attempt(_TRIES),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            return patient(self._get_once, url)
        except _NoAnswerError as error:
            raise FetchError(
                f"connection {self._name}: {self.place} gave no good answer in {_TRIES} tries: {error};"
                " the pages that came are kept, and the next fetch goes on from there",
                is_passing=True,
            ) from None

    def _get_once(self, url: str) -> Any:
        try:
            with self._client.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    self._refuse(answer)
                return _json(answer)
        except httpx.HTTPError as error:
            if _is_about_tls(error):
                raise FetchError(
                    f"connection {self._name}: the certificate of {self.place} is not one that we trust, so no token"
                    " was sent; where the agency has an authority of its own, set `ca_file` in the extra to its"
                    " certificate"
                ) from None
            raise _NoAnswerError(type(error).__name__) from None

    def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in _WORTH_ANOTHER_TRY or status > 504:
            wait = _retry_after(answer.headers.get("Retry-After"))
            if wait is not None and wait > self._options.longest_wait_seconds:
                raise FetchError(
                    f"connection {self._name}: {self.place} asks us to come back in {wait:.0f} s; the pages that came"
                    " are kept, and the next fetch goes on from there",
                    is_passing=True,
                )
            raise _NoAnswerError(f"status {status}", wait)
        if status in (401, 403):
            raise FetchError(
                f"connection {self._name}: {self.place} does not accept the token (status {status});"
                " ask the agency for a new one and set it as the connection's password"
            )
        if status < 400:
            raise FetchError(
                f"connection {self._name}: {self.place} sends us to another address (status {status}), and a token"
                " is never sent on; ask the agency, then mend host and `path`"
            )
        raise RefusedRequestError(
            f"connection {self._name}: {self.place} refuses the request for {answer.url.path} (status {status});"
            " mend `path` and `params` in its extra"
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """As long as the API asks for and a little more; else a random time of a span that doubles."""
        base = self._options.backoff_seconds
        backoff = tenacity.wait_random_exponential(multiplier=base, max=_LONGEST_BACKOFF_SECONDS)
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _NoAnswerError) and error.wait is not None:
            return error.wait + tenacity.wait_random(0, base)(state)
        return backoff(state)

    def _joined(self, url: httpx.URL, link: str, what: str) -> httpx.URL:
        try:
            joined = url.join(link)
        except httpx.InvalidURL:  # its words hold the link
            raise FetchError(f"connection {self._name}: {what} is no address") from None
        self._check_origin(joined)
        return joined

    def _check_origin(self, url: httpx.URL) -> None:
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            raise FetchError(
                f"connection {self._name}: {self.place} names a page of another server, and the token is never"
                " sent there; ask the agency, then mend host and `path`"
            )


@contextmanager
def connected(endpoint: Endpoint, options: ApiOptions) -> Iterator[Api]:
    """Open an API for some requests; raises ``FetchError`` where the connection is incomplete."""
    base = _base(endpoint)
    token = (endpoint.password or "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise FetchError(f"connection {endpoint.name}: set its password to the API's bearer token, one word")
    try:
        trust = ssl.create_default_context(cafile=options.ca_file or certifi.where())
    except OSError as error:  # a file that holds no certificate is one too
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in PEM form"
        raise FetchError(f"connection {endpoint.name}: `ca_file` {options.ca_file}: {reason}") from None
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "saferkc"}
    with httpx.Client(verify=trust, headers=headers, timeout=options.timeout_seconds, follow_redirects=False) as client:
        yield Api(endpoint, options, client, base)


def read_options(endpoint: Endpoint) -> ApiOptions:
    """Read the extra of a connection to an API; raises ``FetchError``."""
    return options_of(endpoint, ApiOptions)


def _base(endpoint: Endpoint) -> httpx.URL:
    """The server's address. Airflow's form takes the scheme before the host or in a field of its own."""
    scheme, _, host = (endpoint.host or "").rpartition("://")
    if (scheme or endpoint.schema or "https") != "https":
        raise FetchError(f"connection {endpoint.name}: a token is sent over https only; mend the schema and the host")
    try:
        base = httpx.URL(f"https://{host.rstrip('/')}")
    except httpx.InvalidURL:
        base = httpx.URL()
    if not base.host or base.userinfo:
        raise FetchError(f"connection {endpoint.name}: set the host, such as api.example.gov.uk, and nothing else")
    return base.copy_with(port=endpoint.port) if endpoint.port else base


def _json(answer: httpx.Response) -> Any:
    body = bytearray()
    for block in answer.iter_bytes():
        body += block
        if len(body) > _LARGEST_PAGE_BYTES:
            raise FetchError(
                f"a page is larger than {_LARGEST_PAGE_BYTES >> 20} MiB; ask for smaller ones (`page_size`)"
            )
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        # raised without the error that caused it, which holds the page
        raise _NoAnswerError("an answer that is no JSON, or is cut short") from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _retry_after(value: str | None) -> float | None:
    """Seconds that ``Retry-After`` asks for: a number, or a moment (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _is_about_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0.0
    log.info("no good answer (%s); trying again in %.1f s", error, seconds)
