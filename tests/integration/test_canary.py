"""No trace of a person: canaries go through every feed with every fault, and everything that is kept is searched.

The faults are those of ``canary_deliveries``, every scenario of the simulator among them.

Searched are all rows of all tables and PostgreSQL's own files (what was rolled back, too), every file of the home
but encrypted originals and keys, all that was printed or logged, and what tasks hand on to each other.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from canary import Canary, files_in, rows_in, traces
from canary_deliveries import deliveries_of, file_name, good_rows, people, plausible, written, zipped
from loading_helpers import assert_accounts, deliveries, drop, query
from saferkc.alerts.sending import send_messages
from saferkc.contracts import load_contracts
from saferkc.landing import feeds_with_work, inbox, receive
from saferkc.landing.inbox import inbox_files
from saferkc.loading import load_arrivals
from saferkc.privacy import tokens
from saferkc.publishing import build_data_docs, check_deliveries
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

PEOPLE = people(load_contracts(Path(__file__).resolve().parents[2] / "expectations" / "contracts"))


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
    # at once, and at a noon a week on: the morning summary and the digest as well
    now = datetime.now(UTC)
    told += [repr(send_messages(settings, now=when)) for when in (now, now.replace(hour=12) + timedelta(days=8))]
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
    assert list(settings.outbox.glob("*.eml"))


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
        "hashed": hashlib.sha256(canary.surname.lower().encode()).hexdigest().encode(),
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
