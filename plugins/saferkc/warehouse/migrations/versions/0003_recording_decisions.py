"""Changes in counting say when what marts read of them last changed, and who decided on them, when and why."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = """
alter table quality.recording_change
    add column changed_at timestamptz,
    add column decided_by text,
    add column decided_at timestamptz,
    add column decision_note text;
comment on column quality.recording_change.changed_at is
    'When anything that the marts read of the change was last written: marts built before it are built whole again.'
    ' Empty where they never read anything of it: a real change, or one that the register speaks for.';
comment on column quality.recording_change.decided_by is 'Who confirmed or rejected the change.';
comment on column quality.recording_change.decided_at is 'When the change was confirmed or rejected.';
comment on column quality.recording_change.decision_note is 'Why it was confirmed or rejected, in their words.';
update quality.recording_change
set decided_by = evidence ->> 'decided_by',
    decided_at = (evidence ->> 'decided_at')::timestamptz,
    decision_note = evidence ->> 'note'
where evidence ? 'decision'
"""

# Whoever writes: a night that only grows surer of a change leaves the marts alone, and so does one that sees more of
# what the register speaks for. Shares are read of what people confirmed.
_READ = """
create function quality.read_by_marts(change quality.recording_change) returns jsonb language sql immutable as $$
    select case
        when change.kind = 'real' or change.state = 'gone' then null
        when change.state = 'registered' and change.kind <> 'data_fault' then null
        else jsonb_build_array(
            change.series, change.parent_series, change.feed, change.geography, change.effective_month, change.kind,
            change.nature, change.state, change.register_id, change.treatment, change.evidence -> 'classes',
            change.evidence -> 'bridged_parent', change.evidence -> 'latest_month',
            case when change.state = 'confirmed' then change.evidence -> 'code_map' end
        )
    end
$$
"""
_NOTE = """
create function quality.note_recording_change() returns trigger language plpgsql as $$
begin
    if quality.read_by_marts(new) is distinct from (
        case when tg_op = 'UPDATE' then quality.read_by_marts(old) end
    ) then
        new.changed_at := clock_timestamp();
    end if;
    return new;
end
$$
"""
_TRIGGER = """
create trigger recording_change_changed_at before insert or update on quality.recording_change
    for each row execute function quality.note_recording_change()
"""


def upgrade() -> None:
    """Add the columns, fill them from the evidence of earlier decisions, and keep changed_at true."""
    for statement in (*_COLUMNS.split(";\n"), _READ, _NOTE, _TRIGGER):
        op.execute(statement)


def downgrade() -> None:
    """Who decided is kept nowhere else."""
    raise NotImplementedError("restore the warehouse from before the migration")
