"""Every decision on a change in counting is kept, beside what the ledger said before and after it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE = """
create table quality.recording_decision (
    decision_id bigint generated always as identity primary key,
    change_id bigint not null references quality.recording_change,
    decision text not null check (decision in ('confirmed', 'rejected', 'amended')),
    decided_by text not null,
    decided_at timestamptz not null default now(),
    note text not null,
    before jsonb not null,
    after jsonb not null
);
create index recording_decision_change on quality.recording_decision (change_id);
comment on table quality.recording_decision is
    'One row a decision on a change in counting: who took it, when and why, and what the ledger said before and after.';
insert into quality.recording_decision (change_id, decision, decided_by, decided_at, note, before, after)
select change_id, state, decided_by, decided_at, coalesce(decision_note, ''), '{}'::jsonb,
    jsonb_build_object('state', state, 'effective_month', effective_month, 'nature', nature, 'treatment', treatment)
from quality.recording_change
where decided_at is not null and state in ('confirmed', 'rejected');
update quality.recording_change set evidence = evidence - array['decision', 'decided_by', 'decided_at', 'note']
where evidence ? 'decision'
"""


def upgrade() -> None:
    """Add the history of decisions, with those that were taken before it."""
    for statement in _TABLE.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """What was decided before the last decision is kept nowhere else."""
    raise NotImplementedError("restore the warehouse from before the migration")
