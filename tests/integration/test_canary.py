"""No trace of a person: canaries go through every feed with every fault, and everything that is kept is searched.

Searched are all rows of all tables and PostgreSQL's own files (what was rolled back, too), every file of the home
but encrypted originals and keys, all that was printed or logged, and what tasks hand on to each other.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from canary import Canary, Row, file_name, files_in, plausible, row_of, rows_in, traces, written
from loading_helpers import assert_accounts, deliveries, drop, query
from saferkc.alerts import send_mail
from saferkc.contracts import Contract, load_contracts
from saferkc.landing import feeds_with_work, inbox, receive
from saferkc.landing.inbox import inbox_files
from saferkc.loading import load_arrivals
from saferkc.privacy import tokens
from saferkc.publishing import build_data_docs, check_deliveries
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

CONTRACTS = load_contracts(Path(__file__).resolve().parents[2] / "expectations" / "contracts")
PEOPLE = {feed: c for feed, c in CONTRACTS.items() if any(column.token for column in c.columns)}
GOOD_ROWS = 250
FEW = 12  # rows that may be faulty among so many good ones without the delivery being refused

Delivered = tuple[str, str, bytes]  # source, file name, content


# --- what is delivered ------------------------------------------------------------------------------------


def good_rows(contract: Contract, canary: Canary) -> list[Row]:
    """Rows that keep the contract, with the identity written in several ways."""
    ways: list[Callable[[str], str]] = [str, str.upper, str.lower, lambda text: f"  {text} "]
    parts = {place for column in contract.columns if column.token for part in column.token.parts
             for place in [*(part.headings or []), part.path] if place}  # fmt: skip
    rows = [row_of(contract, canary, number) for number in range(1, GOOD_ROWS + 1)]
    return [
        {place: ways[n % 4](value) if place in parts else value for place, value in row.items()}
        for n, row in enumerate(rows)
    ]


def cells_with_an_identity(contract: Contract, canary: Canary) -> Iterator[Row]:
    """For every column that is kept, rows with an identity in it.

    A name is planted where the row knows it: whose name stands in a street's column can't be told otherwise.
    """
    knows_names = any(part.kind == "name" for column in contract.columns if column.token for part in column.token.parts)
    numbers = count(GOOD_ROWS + 1)
    for column in contract.columns:
        place = column.origin.path or (column.origin.headings or [None])[0]
        if place is not None:
            for what in ("phone", "address", *(["name"] if knows_names else [])):
                yield row_of(contract, canary, next(numbers)) | {place: canary.parts[what]}


def faulty_rows(contract: Contract, canary: Canary) -> Iterator[tuple[str, list[Row]]]:
    """Faults in the rows, each added to good ones."""
    row = row_of(contract, canary, 999)
    first, *_, last = row
    strays = list(cells_with_an_identity(contract, canary))
    for few in range(0, len(strays), FEW):
        yield "identities in the wrong cells", strays[few : few + FEW]
    yield "too many identities in the wrong cells", [*strays, *strays, *strays]
    yield "a new column that is called like somebody", [row | {canary.parts["name"]: canary.parts["address"]}]
    yield "a key twice with two identities", [row, {k: v.replace("Zyx", "Zzyx") for k, v in row.items()}]
    yield "no key", [row | {first: ""}]
    yield "a formula", [{k: f'=HYPERLINK("http://x/{v}","{v}")' for k, v in row.items()}]
    yield "markup", [{k: f"<script>{v}</script>" for k, v in row.items()}]
    yield "accents and another alphabet", [{k: v.replace("Zyxqua", "Żyxqúaя") for k, v in row.items()}]
    yield "a character that can't be kept", [{k: f"{v}\ufffe" for k, v in row.items()}]
    yield "very long", [{k: v * 400 for k, v in row.items()}]
    yield "impossible days", [{k: v.replace("/04/", "/14/").replace("-04-", "-14-") for k, v in row.items()}]
    shifted = dict(zip(row, [*list(row.values())[1:], row[first]], strict=True))
    yield "cells one to the left", [shifted]
    yield "cells one to the right", [dict(zip(row, [row[last], *list(row.values())[:-1]], strict=True))]


def faulty_bytes(contract: Contract, canary: Canary) -> Iterator[tuple[str, bytes]]:
    """Faults of a whole document."""
    rows = good_rows(contract, canary)
    content = written(contract, rows)
    yield "cut in the middle", content[: len(content) * 2 // 3]
    yield "an empty file", b""
    yield "somebody's name and nothing else", canary.parts["name"].encode()
    yield "a NUL", content.replace(b"yxqua", b"yx\0qua")
    if contract.delivery.format == "workbook":
        yield "no headings", written(contract, rows, headings=False)
        yield "a title with a name", written(contract, rows, before=f"Referrals of {canary.parts['name']}")
        return
    if contract.delivery.format == "delimited":
        lines = content.splitlines(keepends=True)
        yield "no headings", b"".join(lines[1:])
        yield "headings in the middle", b"".join([*lines[1:5], lines[0], *lines[5:]])
        yield "a missing column", b"".join(line.split(contract.delivery.delimiters[0].encode(), 1)[1] for line in lines)
        yield (
            "a delimiter inside a name",
            content.replace(b"Quorvath", contract.delivery.delimiters[0].encode() + b"Quorvath"),
        )
        yield "a stray quote", content.replace(b"Quorvath", b'"Quorvath', 3)
        yield "an open quote", content + b'"' + canary.parts["name"].encode()
        yield "a line more", content + canary.parts["name"].encode() + b"\n"
    yield "a byte order mark", b"\xef\xbb\xbf" + content
    yield "cp1252", content.replace(b"Zyxqua", "Zyxquaé".encode("cp1252"))
    yield "UTF-16", content.decode().encode("utf-16")
    yield "mixed line ends", content.replace(b"\n", b"\r\n", 9)
    if contract.delivery.is_json:
        yield "a name as a key", content.replace(b'"status"', json.dumps(canary.parts["name"]).encode())
        yield "an identity that is an object", content.replace(b'"subject": {', b'"subject": [{').replace(b"}}", b"}]}")
        yield "no JSON", content.replace(b"{", b"", 2)


def deliveries_of(contract: Contract, canary: Canary) -> Iterator[Delivered]:
    """All deliveries of a feed: good ones, each fault, and files that are not what they seem."""
    source = contract.delivery.source
    good = good_rows(contract, canary)
    days = count(1)
    yield source, file_name(contract, next(days)), written(contract, good)
    for _, rows in faulty_rows(contract, canary):
        headings = dict.fromkeys(heading for row in rows for heading in row)
        whole = [{heading: row.get(heading, "") for heading in headings} for row in [*good, *rows]]
        yield source, file_name(contract, next(days)), written(contract, whole)
    for _, content in faulty_bytes(contract, canary):
        yield source, file_name(contract, next(days)), content
    content = written(contract, good)
    yield source, f"simulated_{canary.parts['name']}.csv", content
    yield source, f"simulated {canary.surname} referral.docx", content
    yield source, f"simulated_{canary.surname}_{file_name(contract, next(days)).removeprefix('simulated_')}", content
    yield source, file_name(contract, next(days)) + ".pgp", content
    yield "police_open", file_name(contract, next(days)), content
    yield "reference", "simulated_somebody.zip", zipped({"imd2019.csv": content})
    if contract.delivery.archives:
        name = f"simulated_police_{next(days):08}.zip"
        yield source, name, zipped({f"{canary.parts['name']}.csv": content, "offences_20170403.csv": content})
        yield source, f"simulated_police_2017080{next(days) % 9 + 1}.zip", zipped({"../offences_20170403.csv": content})
        yield source, "simulated_police_20170901.zip", zipped({"victims_20170901.csv": content})[:-30]
    if ".gz" in contract.delivery.patterns[0]:
        yield source, file_name(contract, next(days)) + ".gz", gzip.compress(content)
        yield source, file_name(contract, next(days)) + ".gz", gzip.compress(content)[:-9]


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def night(settings: Settings) -> list[str]:
    """Take in what lies in the inboxes, as the DAGs do; return what tasks would hand on or log."""
    told = []
    for feed in sorted(feeds_with_work(settings)):
        try:
            arrivals = receive(settings, feed)
            summary = load_arrivals(settings, feed, arrivals)
            told += [repr(arrivals), repr(summary), repr(check_deliveries(settings, feed, summary.delivery_ids))]
        except Exception as error:
            logging.getLogger("task").exception("the task failed")
            told.append(repr(error))
    build_data_docs(settings, 1)
    with connect(settings) as connection:
        for title, body in connection.execute("select title, body from quality.alert").fetchall():
            send_mail(settings, "engineers@saferkc.invalid", title, body)
    return told


def everything(settings: Settings, server: Settings) -> Iterator[tuple[str, bytes]]:
    """All that is kept after a night, outside encrypted landing and keys."""
    with connect(settings, autocommit=True) as connection:
        connection.execute("checkpoint")
    yield from rows_in(settings.warehouse_url)
    yield from files_in(settings.home, but=lambda path: path.suffix == ".age" or path.parent == settings.keys)
    yield from files_in(server.postgres_dir)


# --- tests ------------------------------------------------------------------------------------------------


@pytest.mark.timeout(900)
def test_no_trace_of_anybody_whatever_went_wrong(
    settings: Settings,
    embedded_home: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = Canary("alpha", 417)
    for contract in PEOPLE.values():
        for source, name, content in deliveries_of(contract, canary):
            drop(settings, name, content, source)
    told = night(settings)
    printed = capfd.readouterr()
    said = "\n".join([*told, caplog.text, printed.out, printed.err])
    assert traces(canary.needles, [("said", said.encode())]) == []
    found = traces(canary.needles, everything(settings, embedded_home))
    assert not found, "\n".join(found)
    assert not any(inbox_files(settings, contract.delivery.source) for contract in PEOPLE.values())
    assert_accounts(settings)

    # and it was not for nothing that none was found
    entered = deliveries(settings)
    for feed, contract in PEOPLE.items():
        states = [delivery.state for delivery in entered if delivery.feed == feed]
        assert {"admitted", "refused"} <= set(states), feed
        assert len(states) > 20, feed
        for column in contract.columns:
            if column.token:
                rows = query(settings, f"select distinct {column.name} from raw.{feed} where {column.name} is not null")
                assert rows, f"{feed}.{column.name}"
                assert all(token.startswith("k1:") for (token,) in rows)
    assert {"identity", "type", "record_key"} <= {
        rule for (rule,) in query(settings, "select rule from quality.quarantine")
    }
    assert list(settings.landing.rglob("*.age"))


def test_a_leak_is_found(settings: Settings, embedded_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search finds a trace where identities really get past: in rows, in originals, in what people read."""
    canary = Canary("omega", 528)
    monkeypatch.setattr(tokens, "token_column", lambda frame, *_: frame.to_series(0))
    monkeypatch.setattr(inbox, "is_open_file", lambda *_: True)
    monkeypatch.setattr(inbox, "file_name", lambda _, name, __: name)
    contract = PEOPLE["police_victims"]
    content = written(contract, good_rows(contract, canary))
    for name in (file_name(contract, 1), f"simulated_{canary.surname}.csv"):
        drop(settings, name, content, contract.delivery.source)
    night(settings)
    found = traces(canary.needles, everything(settings, embedded_home))
    for leak in ("raw.police_victims", settings.landing, "quality.alert", settings.outbox, embedded_home.postgres_dir):
        assert [place for place in found if place.startswith(f"{leak}")], leak


def test_the_search_looks_into_what_is_packed_or_written_otherwise(tmp_path: Path) -> None:
    canary = Canary("sigma", 852)
    name = canary.parts["name"].encode()
    hidden = {
        "plain": b"..." + name,
        "capitals": name.upper(),
        "utf-16": name.decode().encode("utf-16"),
        "gzipped": gzip.compress(name),
        "zipped": zipped({"a": gzip.compress(canary.parts["phone"].encode())}),
        "member": zipped({canary.surname: b""}),
        "hashed": __import__("hashlib").sha256(canary.surname.lower().encode()).hexdigest().encode(),
        "born": b"23/07/1911 " + canary.parts["date"].encode(),
    }
    for place, content in hidden.items():
        assert traces(canary.needles, [(place, content)]), place
        (tmp_path / place).write_bytes(content)
    assert len({trace.split(": ")[0].split("!")[0] for trace in traces(canary.needles, files_in(tmp_path))}) >= len(
        hidden
    )
    assert traces(Canary("tau", 853).needles, files_in(tmp_path)) == []
    assert plausible(PEOPLE["police_victims"].columns[0], 1) != plausible(PEOPLE["police_victims"].columns[0], 2)
