"""Raw tables: every version of every record, one table a feed, made from its contract."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.contracts.version_columns import VERSION_COLUMNS
from saferkc.warehouse.connection import Connection
from saferkc.warehouse.history import create_history_functions


def create_raw_tables(connection: Connection, contracts: Mapping[str, Contract]) -> None:
    """Make the raw tables that are missing, and add columns that a contract has gained; and what stands by them.

    A column that a contract has lost stays, with its history; a changed type is an error for a migration.
    """
    # two tasks may start at once on a new warehouse
    connection.execute("select pg_advisory_xact_lock(hashtext('saferkc.migrate'))")
    existing: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'raw'"
    ):
        existing.setdefault(table, set()).add(column)
    for contract in contracts.values():
        if contract.feed not in existing:
            _create(connection, contract)
        else:
            _add_columns(connection, contract, existing[contract.feed])
        if contract.delivery.extract != "period":
            _create_key_indexes(connection, contract)
    create_history_functions(connection, contracts)


def index_deliveries(connection: Connection, contract: Contract) -> None:
    """Bring the index on deliveries up to date before it is asked, where it is a summary of pages.

    Pages that it does not hold yet are read for every delivery. PostgreSQL adds them by itself, but in its own time.
    """
    if contract.delivery.extract != "period":
        return
    connection.execute("select brin_summarize_new_values(%s::regclass)", [f"raw.{contract.feed}_delivery"])


def raw_table(contract: Contract) -> sql.Identifier:
    """The feed's raw table as an SQL identifier."""
    return sql.Identifier("raw", contract.feed)


def column_definitions(contract: Contract) -> sql.Composed:
    """The column list of the raw table, as in ``create table``."""
    derived = derived_columns(contract)
    fixed = [
        (name, f"{kind} generated always as ({derived[name]}) stored" if name in derived else kind)
        for name, kind, _ in VERSION_COLUMNS
    ]
    own = [(column.name, column.physical_type) for column in contract.columns]
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in [*fixed, *own]
    )


def derived_columns(contract: Contract) -> dict[str, str]:
    """Version columns that PostgreSQL derives itself, and from what: cheaper than sending them with every row."""
    derived = {}
    if not contract.key_columns:  # a whole row is its own key
        derived["record_key"] = "row_hash"
    period = contract.delivery.period
    if period.column is not None:
        column = contract.column(period.column)
        whole_months = column.options.format == "%Y-%m" or column.origin.cell == "period"
        if column.physical_type == "date" and period.grain == "month" and whole_months:
            derived["period"] = f'"{column.name}"'
    return derived


def written_columns(contract: Contract) -> list[str]:
    """Names of the raw table's columns that a loader writes, in order."""
    derived = derived_columns(contract)
    names = [name for name, _, _ in VERSION_COLUMNS] + [column.name for column in contract.columns]
    return [name for name in names if name not in derived]


def _add_columns(connection: Connection, contract: Contract, existing: set[str]) -> None:
    for column in contract.columns:
        if column.name not in existing:
            connection.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    raw_table(contract), sql.Identifier(column.name), sql.SQL(column.physical_type)
                )
            )


def _create_key_indexes(connection: Connection, contract: Contract) -> None:
    """Indexes of a feed whose deliveries speak for records: a night must find them without reading history.

    A feed whose deliveries speak for months has none: they would slow its load. There a delivery's rows stand
    together, and a summary of the pages finds them; here they come to stand wherever a version before them was
    ended, so that a third of a table was read for a night's thousand rows.
    """
    indexes = {
        "record": "(record_key)",
        "delivered": "(delivery_id)",
        "ended": "(withdrawn_delivery_id) where withdrawn_delivery_id is not null",
    }
    if len(contract.key_columns) > 1:  # records of a record of another feed: an offence's people and outcomes
        indexes["parent"] = f'("{contract.key_columns[0]}")'
    if contract.delivery.extract == "full":  # what stands now is compared with every delivery, whole
        indexes["current"] = "(record_key) where withdrawn_delivery_id is null"
    for name, what in indexes.items():
        connection.execute(
            sql.SQL("create index if not exists {} on {} {}").format(
                sql.Identifier(f"{contract.feed}_{name}"), raw_table(contract), sql.SQL(what)
            )
        )


def _create(connection: Connection, contract: Contract) -> None:
    table = raw_table(contract)
    connection.execute(sql.SQL("create table {} ({})").format(table, column_definitions(contract)))
    if contract.delivery.extract == "period":
        connection.execute(
            # rows of a delivery stand together, so a summary of the pages finds them and costs a load next to nothing
            sql.SQL("create index {} on {} using brin (delivery_id) with (pages_per_range = 32, autosummarize)").format(
                sql.Identifier(f"{contract.feed}_delivery"), table
            )
        )
    comments = [(name, text) for name, _, text in VERSION_COLUMNS]
    comments += [(column.name, column.description) for column in contract.columns]
    connection.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(contract.table.description)))
    for name, text in comments:
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(table, sql.Identifier(name), sql.Literal(text))
        )
