"""Changes in counting say when what marts read of them last changed, and who decided on them, when and why."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = """
alter table quality.recording_change
    add column changed_at timestamptz not null default now(),
    add column decided_by text,
    add column decided_at timestamptz,
    add column decision_note text;
comment on column quality.recording_change.changed_at is
    'When anything that the marts read of the change was last written: marts built before it are built whole again.';
comment on column quality.recording_change.decided_by is 'Who confirmed or rejected the change.';
comment on column quality.recording_change.decided_at is 'When the change was confirmed or rejected.';
comment on column quality.recording_change.decision_note is 'Why it was confirmed or rejected, in their words.';
update quality.recording_change
set decided_by = evidence ->> 'decided_by',
    decided_at = (evidence ->> 'decided_at')::timestamptz,
    decision_note = evidence ->> 'note'
where evidence ? 'decision'
"""

# whoever writes: a night that only grows surer of a change leaves the marts alone
_TRIGGER = """
create function quality.note_recording_change() returns trigger language plpgsql as $$
begin
    if (old.series, old.parent_series, old.feed, old.geography, old.effective_month, old.kind, old.nature, old.state,
            old.register_id, old.treatment, old.evidence -> 'classes', old.evidence -> 'bridged_parent',
            old.evidence -> 'latest_month', old.evidence -> 'code_map')
        is distinct from
        (new.series, new.parent_series, new.feed, new.geography, new.effective_month, new.kind, new.nature, new.state,
            new.register_id, new.treatment, new.evidence -> 'classes', new.evidence -> 'bridged_parent',
            new.evidence -> 'latest_month', new.evidence -> 'code_map')
    then
        new.changed_at := clock_timestamp();
    end if;
    return new;
end
$$;
create trigger recording_change_changed_at before update on quality.recording_change
    for each row execute function quality.note_recording_change()
"""


def upgrade() -> None:
    """Add the columns, fill them from the evidence of earlier decisions, and keep changed_at true."""
    for statement in _COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute(_TRIGGER)


def downgrade() -> None:
    """Who decided is kept nowhere else."""
    raise NotImplementedError("restore the warehouse from before the migration")
