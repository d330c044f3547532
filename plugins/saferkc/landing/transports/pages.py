"""Walking the pages of an API: each kept as it comes, and none believed that contradicts the others.

Pages that come while the agency's data changes may repeat records and skip others without a sign. So: what a
page says of itself is checked; a record stands in one page only; and when the last page has come the first one is
asked for again and must be what it was. Otherwise the fetch starts over, and in the end it is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from saferkc.contracts import Contract, takes
from saferkc.landing.transports.endpoint import Endpoint
from saferkc.landing.transports.errors import FetchError
from saferkc.landing.transports.https_api import Api, ApiOptions, RefusedRequestError, connected, read_options
from saferkc.landing.transports.memory import Memory, Offered, now, writing

log = logging.getLogger(__name__)
_LONDON = ZoneInfo("Europe/London")
_STARTS = 3
# what came before a failure is of use for as long as a night; later the fetch starts over
_KEPT_FOR = timedelta(hours=12)
# asked for again, so that a change near midnight or by a clock that is wrong is not missed
_OVERLAP = timedelta(days=1)


class _PagesMovedError(Exception):
    """The pages don't fit together; the message says how."""


def fetch_pages(contract: Contract, endpoint: Endpoint, memory: Memory) -> list[str]:
    """Bring an API's records into the inbox as one file, and return its name, or nothing where nothing is new.

    Raises ``FetchError``. Pages that came are kept (encrypted with a key of the home), and the next fetch goes on
    from the last one, after it has made sure that this page is still what it was.
    """
    options = read_options(endpoint)
    if not options.serves(contract.feed):
        return []
    with connected(endpoint, options) as api:
        reasons = []
        for _ in range(_STARTS):
            walk = _Walk(contract, options, api, memory)
            try:
                walk.to_the_end()
                return walk.deliver(endpoint)
            except _PagesMovedError as error:
                log.warning("%s: %s; starting over", contract.feed, error)
                reasons.append(str(error))
                walk.forget()
    raise FetchError(
        f"connection {endpoint.name}: the pages of {api.place} don't fit together, so none was taken;"
        f" tried {_STARTS} times: {'; '.join(dict.fromkeys(reasons))}."
        " Ask the agency for pages of a fixed extract, in a fixed order"
    )


def check_pages(feed: str, endpoint: Endpoint) -> None:
    """Raise ``FetchError`` where the first page of a feed can't be had or has no list of records."""
    options = read_options(endpoint).model_copy(update={"longest_wait_seconds": 10.0})
    if not options.serves(feed):
        return
    with connected(endpoint, options) as api:
        _part(api.get(api.first_url(feed, {})), "")


@dataclass(frozen=True)
class _Page:
    """One page: its records as they came, what it announces, and a digest of both."""

    body: Any
    records: list[dict[str, Any]]
    announced: str

    @property
    def digest(self) -> str:
        content = json.dumps(self.records, separators=(",", ":")) + self.announced
        return hashlib.sha256(content.encode()).hexdigest()


class _Walk:
    """One feed's pages, as far as they have come."""

    def __init__(self, contract: Contract, options: ApiOptions, api: Api, memory: Memory) -> None:
        self._contract = contract
        self._feed = contract.feed
        self._options = options
        self._api = api
        self._memory = memory
        self._database = memory.database
        self._cipher = memory.cipher
        self._key = [path for column in contract.columns if column.primary_key for path in [column.origin.path] if path]

    def to_the_end(self) -> None:
        """Fetch all pages that are missing; raises ``_PagesMovedError`` or ``FetchError``."""
        first = self._api.first_url(self._feed, self._since())
        number, url = self._resume(first) or self._begin(first)
        while url is not None:
            page = self._get(url, number)
            following = self._following(first, url, number, page)
            self._keep(number, url, page, following)
            number, url = number + 1, following
        self._check_whole(number)

    def deliver(self, endpoint: Endpoint) -> list[str]:
        """Write the records as one file into the inbox and forget the pages."""
        began_at, count = self._began_at(), self._count()
        if not count and self._contract.delivery.limits.minimum_rows and not self._since():
            raise FetchError(
                f"connection {endpoint.name}: {self._api.place} answered without a single record; ask the agency,"
                " or mend `path` and `params` in its extra"
            )
        name = _name(self._contract, self._as_of() or began_at.astimezone(_LONDON), simulated=self._options.simulated)
        if not self._memory.may_place(name):
            raise FetchError(f"{name} still lies in the inbox: it must be landed before another comes", is_passing=True)
        draft = self._memory.draft(name)
        with writing(draft) as copy:
            for (content,) in self._database.execute(
                "select content from page where feed = ? order by number", [self._feed]
            ):
                copy.write(self._cipher.decrypt(content))
        known = self._database.execute("select sha256 from extract where feed = ?", [self._feed]).fetchone()
        digest = copy.sha256 if count else (known[0] if known else "")

        def note() -> None:
            self._forget()
            self._database.execute(
                "insert or replace into extract values (?, ?, ?)", [self._feed, began_at.isoformat(), digest]
            )

        if count > 0 and (known is None or known[0] != digest):
            offered = Offered(name, copy.size, began_at.timestamp())
            self._memory.place(self._api.place, offered, draft, digest, also=note)
            log.info("%s: %d records taken from %s", name, count, self._api.place)
            return [name]
        draft.unlink()
        with self._database:
            note()
        log.info("%s: nothing new from %s", self._feed, self._api.place)
        return []

    def forget(self) -> None:
        """Drop the pages that came."""
        with self._database:
            self._forget()

    def _forget(self) -> None:
        for table in ("page", "seen", "walk"):
            self._database.execute(f"delete from {table} where feed = ?", [self._feed])  # noqa: S608 (ours)

    def _since(self) -> dict[str, str]:
        if self._options.since_param is None:
            return {}
        if self._contract.delivery.extract != "changes":
            raise FetchError(f"`since_param` is for feeds that send changes only, and {self._feed} is none of them")
        row = self._database.execute("select began_at from extract where feed = ?", [self._feed]).fetchone()
        if row is None:
            return {}
        day = datetime.fromisoformat(row[0]).astimezone(_LONDON).date() - _OVERLAP
        return {self._options.since_param: day.isoformat()}

    def _begin(self, first: str) -> tuple[int, str | None]:
        self.forget()
        number = self._options.first_page
        with self._database:
            self._database.execute(
                "insert into walk values (?, ?, ?, ?)", [self._feed, now().isoformat(), first, first]
            )
        return number, first

    def _resume(self, first: str) -> tuple[int, str | None] | None:
        """Return where an earlier fetch broke off, if its last page is still what it was."""
        row = self._database.execute(
            "select w.following, p.number, p.url, p.digest from walk as w join page as p using (feed)"
            " where w.feed = ? and w.address = ? and w.began_at > ? order by p.number desc limit 1",
            [self._feed, first, (now() - _KEPT_FOR).isoformat()],
        ).fetchone()
        if row is None:
            return None
        following, number, url, digest = row
        try:
            if self._get(url, number).digest != digest:
                raise _PagesMovedError(f"page {number} changed since an earlier fetch broke off there")
        except RefusedRequestError:
            raise _PagesMovedError(f"page {number} is gone since an earlier fetch broke off there") from None
        log.info("%s: going on after page %d, where an earlier fetch broke off", self._feed, number)
        return number + 1, following

    def _get(self, url: str, number: int) -> _Page:
        body = self._api.get(url)
        says = self._says(body)
        if isinstance(says["page"], int) and says["page"] != number:
            raise _PagesMovedError(f"page {number} was asked for and page {says['page']} came")
        return _Page(body, self._records(body), json.dumps([says["pages"], says["total"], says["as_of"]]))

    def _says(self, body: Any) -> dict[str, Any]:
        return {name: _part(body, getattr(self._options, name)) for name in ("page", "pages", "total", "as_of", "next")}

    def _records(self, body: Any) -> list[dict[str, Any]]:
        path = self._options.records or self._contract.delivery.records_path or ""
        records = _part(body, path)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            where = f"at `{path}` of a page" if path else "in a page"
            raise FetchError(f"{self._api.place}: there is no list of records {where}; set `records` in the extra")
        return records

    def _following(self, first: str, url: str, number: int, page: _Page) -> str | None:
        """Return the address of the next page, or None after the last one."""
        says, so_far = self._says(page.body), self._count() + len(page.records)
        by_number = self._api.numbered_url(first, number + 1)
        following: str | None
        if _has(page.body, self._options.next) or url not in (first, self._api.numbered_url(first, number)):
            following = self._api.next_url(url, str(says["next"])) if says["next"] else None
        elif isinstance(says["pages"], int):
            following = by_number if number < says["pages"] + self._options.first_page - 1 else None
        elif isinstance(says["total"], int):
            following = by_number if so_far < says["total"] else None
        else:  # only an empty page is the last: an API may give fewer records a page than it was asked for
            return by_number if page.records else None
        if following is not None and not page.records:
            raise _PagesMovedError(f"page {number} is empty, and more was announced")
        return following

    def _keep(self, number: int, url: str, page: _Page, following: str | None) -> None:
        """Keep a page, in one transaction with where to go on."""
        lines = "".join(f"{json.dumps(record, separators=(',', ':'))}\n" for record in page.records)
        with self._database:
            earlier = self._database.execute(
                "select digest, announced from page where feed = ? order by number limit 1", [self._feed]
            ).fetchone()
            if earlier is not None and earlier[1] != page.announced:
                raise _PagesMovedError(
                    f"page {number} announces another extract, or another total, than the first page"
                )
            again = self._database.execute(
                "select number from page where feed = ? and (url = ? or (digest = ? and records > 0))",
                [self._feed, url, page.digest],
            ).fetchone()
            if again is not None:
                raise _PagesMovedError(f"page {number} repeats page {again[0]}")
            for record in page.records:
                mark = self._mark(record)
                if self._database.execute(
                    "insert or ignore into seen values (?, ?, ?)", [self._feed, mark, number]
                ).rowcount:
                    continue
                (where,) = self._database.execute(
                    "select page from seen where feed = ? and record = ?", [self._feed, mark]
                ).fetchone()
                # twice in one page is the agency's own doing, which the contract's rules judge
                if where != number:
                    raise _PagesMovedError(f"page {number} repeats a record of page {where}")
            self._database.execute(
                "insert into page values (?, ?, ?, ?, ?, ?, ?)",
                [self._feed, number, url, page.digest, page.announced, len(page.records),
                 self._cipher.encrypt(lines.encode())],
            )  # fmt: skip
            self._database.execute("update walk set following = ? where feed = ?", [following, self._feed])

    def _mark(self, record: dict[str, Any]) -> bytes:
        """Return what tells a record from others: a digest of its key, or of all of it where it has none."""
        key = [_part(record, path) for path in self._key] if self._key else record
        return hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16).digest()

    def _check_whole(self, number: int) -> None:
        """Make sure that all came that was announced, and that the first page is still what it was."""
        url, digest, announced = self._database.execute(
            "select url, digest, announced from page where feed = ? order by number limit 1", [self._feed]
        ).fetchone()
        total = json.loads(announced)[1]
        if isinstance(total, int) and total != self._count():
            raise _PagesMovedError(f"{total} records were announced and {self._count()} came: some were skipped")
        if number - self._options.first_page > 1 and self._get(url, self._options.first_page).digest != digest:
            raise _PagesMovedError("the first page changed while the others were fetched")

    def _count(self) -> int:
        row = self._database.execute("select coalesce(sum(records), 0) from page where feed = ?", [self._feed])
        return int(row.fetchone()[0])

    def _began_at(self) -> datetime:
        row = self._database.execute("select began_at from walk where feed = ?", [self._feed]).fetchone()
        return datetime.fromisoformat(row[0])

    def _as_of(self) -> datetime | None:
        """Return when the agency says that the extract was made."""
        row = self._database.execute("select announced from page where feed = ? limit 1", [self._feed]).fetchone()
        try:
            moment = datetime.fromisoformat(str(json.loads(row[0])[2]))
        except ValueError:
            return None
        return moment.astimezone(_LONDON) if moment.tzinfo else moment


def _part(body: Any, path: str) -> Any:
    """Return the part of a JSON document at a dotted path, or None where there is none."""
    for step in path.split(".") if path else ():
        body = body.get(step) if isinstance(body, dict) else None
    return body


def _has(body: Any, path: str) -> bool:
    """Whether a JSON document says anything at a dotted path, be it null."""
    above, _, last = path.rpartition(".")
    part = _part(body, above)
    return isinstance(part, dict) and last in part


def _name(contract: Contract, moment: datetime, *, simulated: bool) -> str:
    """Return a name that the contract's feed takes, with the day (and time, if it has one) of the extract."""
    group = contract.delivery.extract_date
    for example, pattern in _pairs(contract):
        found = re.search(pattern, example, re.IGNORECASE)
        if not group or not found or not found.groupdict().get(group):
            continue
        written = found[group]
        day = f"{moment:%Y-%m-%d}" if "-" in written else f"{moment:%Y%m%d}"
        time = f"T{moment:%H%M}" if "t" in written.lower() else ""
        begin, end = found.span(group)
        name = f"{example[:begin]}{day}{time}{example[end:]}"
        if simulated and "simulated" not in name.lower():
            name = f"simulated_{name}"
        if takes(contract, name):
            return name
    raise FetchError(
        f"the contract of {contract.feed} does not say how a file of a day is called; give `extract_date`, the named"
        " group of a pattern, and an example that has it"
    )


def _pairs(contract: Contract) -> Iterator[tuple[str, str]]:
    names: Sequence[str] = contract.delivery.examples
    # a real extract is not called after an example that is simulated
    for example in sorted(names, key=lambda name: "simulated" in name.lower()):
        for pattern in contract.delivery.patterns:
            yield example, pattern
