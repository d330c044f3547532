"""How long the tasks of the nights took, so that tonight's can be held against the usual."""

from alembic import op

revision = "0008"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLE = """
create table quality.task_run (
    task_run_id bigint generated always as identity primary key,
    task text not null,
    feed text,
    build_id bigint,
    began_at timestamptz not null,
    ended_at timestamptz not null,
    succeeded boolean not null,
    constraint feed_or_build check (feed is null or build_id is null)
);
create index task_run_of on quality.task_run (task, feed, task_run_id);
create index task_run_build on quality.task_run (build_id) where build_id is not null;
create index delivery_received on quality.delivery (received_at);
comment on table quality.task_run is
    'One row a task that did something for a feed (land, load, check) or a build (watch, dbt, audit, publish).'
"""


def upgrade() -> None:
    """Add the account of the tasks."""
    for statement in _TABLE.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """Nothing else rests on the account."""
    op.execute("drop index quality.delivery_received")
    op.execute("drop table quality.task_run")
