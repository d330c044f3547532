"""Extracts that are full or hold changes only: when they were taken, and what they said without a new version."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGES = """
alter table quality.delivery add column extracted_at timestamp, add column first_delivery_id bigint;
comment on column quality.delivery.extracted_at is
    'When the agency took the extract, by its own clock, as the name of the document says; vintage is its day.';
comment on column quality.delivery.first_delivery_id is
    'The first delivery of the same document, where one is judged again: it keeps its place among those of its day.';
drop index quality.delivery_once;
create unique index delivery_once on quality.delivery (feed, sha256, contract_version, vintage)
    where state = 'admitted' and extracted_at is null;
create unique index delivery_extract_once on quality.delivery (feed, sha256, contract_version, extracted_at)
    where state = 'admitted' and extracted_at is not null;
create index delivery_extract on quality.delivery (feed, scope, extracted_at)
    where state = 'admitted' and extracted_at is not null;
create index delivery_document on quality.delivery (feed, sha256);

create table quality.confirmation (
    record_key uuid not null,
    delivery_id bigint not null,
    primary key (record_key, delivery_id)
);
comment on table quality.confirmation is
    'One row a record that an extract of changes said again, unchanged: a later, older extract does not undo it.';

create table quality.absence (
    record_key uuid not null,
    delivery_id bigint not null,
    until_delivery_id bigint not null,
    primary key (record_key, delivery_id)
);
comment on table quality.absence is
    'One row a record that a full extract, come after newer ones, did not hold though those around it do.'
"""


def upgrade() -> None:
    """Add what the loader keeps of full extracts and of extracts of changes."""
    for statement in _CHANGES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Extracts can't be told apart without their dates."""
    raise NotImplementedError("restore the warehouse from before the migration")
