"""The history of every alert, what is asked of people by when, and the messages that wait to be sent."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = """
alter table quality.alert
    add column change_id bigint references quality.recording_change,
    add column due_date date,
    add column snoozed_until timestamptz;
comment on column quality.alert.change_id is 'The change in counting that is asked about, where it is about one.';
comment on column quality.alert.due_date is 'The day by which its owner should have acted.';
comment on column quality.alert.snoozed_until is 'Until then nobody is reminded of it.';
update quality.alert as a set change_id = c.change_id
from quality.recording_change as c
where a.dedup_key = concat('recording change', chr(58), c.change_id);

create table quality.outbox (
    message_id bigint generated always as identity primary key,
    idempotency_key text not null unique,
    kind text not null check (kind in ('at_once', 'closing', 'summary', 'digest', 'question')),
    audience text not null check (audience in ('engineers', 'community_safety_team', 'agency_contact')),
    queued_at timestamptz not null default now(),
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'dropped', 'refused')),
    content jsonb,
    picture bytea,
    sent_over text[] not null default '{}',
    attempts integer not null default 0,
    last_error text,
    finished_at timestamptz
);
create index outbox_waiting on quality.outbox (audience, message_id) where state = 'waiting';
comment on table quality.outbox is
    'One row a message to people; written in the transaction of what it tells, sent afterwards, at least once.';
comment on column quality.outbox.idempotency_key is
    'The same in every copy of the message: receivers drop repeats by it.';
comment on column quality.outbox.content is
    'Subject, text and HTML, from the first attempt on: a repeat says the same.';
comment on column quality.outbox.sent_over is 'Channels that have taken it already.';

create table quality.alert_event (
    event_id bigint generated always as identity primary key,
    alert_id bigint not null references quality.alert,
    happened_at timestamptz not null default now(),
    event text not null check (event in ('raised', 'seen_again', 'escalated', 'sent', 'acknowledged', 'confirmed',
        'rejected', 'asked_the_agency', 'snoozed', 'woken', 'resolved')),
    by_whom text not null,
    note text,
    until timestamptz,
    token_id text unique,
    message_id bigint references quality.outbox
);
create index alert_event_alert on quality.alert_event (alert_id, event_id);
create index alert_event_message on quality.alert_event (message_id) where message_id is not null;
comment on table quality.alert_event is
    'One row a thing that happened to an alert: what, when, by whom and why.';
comment on column quality.alert_event.until is 'Of a snooze: its end.';
comment on column quality.alert_event.token_id is 'The signed link with which it was answered; each works once.';
comment on column quality.alert_event.message_id is 'The message that tells people of it.';
insert into quality.alert_event (alert_id, happened_at, event, by_whom)
select alert_id, first_seen_at, 'raised', 'warehouse' from quality.alert order by alert_id;
insert into quality.alert_event (alert_id, happened_at, event, by_whom, note)
select alert_id, coalesce(resolved_at, last_seen_at),
    case when state = 'resolved' then 'resolved' else 'acknowledged' end, coalesce(acknowledged_by, 'warehouse'), note
from quality.alert
where state in ('acknowledged', 'resolved')
order by alert_id;
insert into quality.outbox (idempotency_key, kind, audience, state)
select distinct concat('before 0005, ', audience), 'summary', audience, 'dropped'
from quality.alert where state = 'resolved';
update quality.alert_event as e set message_id = m.message_id
from quality.alert as a
inner join quality.outbox as m on m.idempotency_key = concat('before 0005, ', a.audience)
where a.alert_id = e.alert_id and a.state = 'resolved'
"""


def upgrade() -> None:
    """Add the history, with what is known of alerts from before it, and the outbox."""
    for statement in _TABLES.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    """What happened to alerts is kept nowhere else."""
    raise NotImplementedError("restore the warehouse from before the migration")
