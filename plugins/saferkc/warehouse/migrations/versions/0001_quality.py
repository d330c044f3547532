"""The accounts of the warehouse: deliveries, quarantine, builds, checks, alerts, recording changes."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table quality.landed_file (
    sha256 text primary key check (length(sha256) = 64),
    bytes bigint not null,
    first_name text not null,
    first_received_at timestamptz not null default now()
);
comment on table quality.landed_file is 'One row a file kept in landing, byte for byte, under its SHA-256.';

create table quality.arrival (
    arrival_id bigint generated always as identity primary key,
    feed text not null,
    source_name text not null,
    landed_sha256 text not null references quality.landed_file,
    archive_member text,
    received_at timestamptz not null default now(),
    taken_at timestamptz
);
create index arrival_waiting on quality.arrival (feed) where taken_at is null;
comment on table quality.arrival is 'One row a document handed to a feed, waiting to be loaded until taken_at is set.';

create table quality.delivery (
    delivery_id bigint generated always as identity primary key,
    arrival_id bigint references quality.arrival,
    feed text not null,
    source_name text not null,
    sha256 text not null check (length(sha256) = 64),
    landed_sha256 text references quality.landed_file,
    archive_member text,
    bytes bigint not null,
    received_at timestamptz not null,
    finished_at timestamptz not null default now(),
    covers_from date,
    covers_to date,
    scope text,
    vintage date,
    state text not null check (state in ('admitted', 'refused', 'duplicate')),
    rows_in bigint not null default 0,
    rows_admitted bigint not null default 0,
    rows_unchanged bigint not null default 0,
    rows_quarantined bigint not null default 0,
    rows_withdrawn bigint not null default 0,
    rows_refused bigint not null default 0,
    reason text,
    is_simulated boolean not null,
    contract_version text not null,
    flags jsonb not null default '[]',
    received_by text not null default current_user,
    constraint rows_add_up check (rows_in = rows_admitted + rows_unchanged + rows_quarantined),
    constraint refused_takes_nothing_in check (state <> 'refused' or (rows_in = 0 and reason is not null)),
    constraint only_refused_rows_refused check (state = 'refused' or rows_refused = 0)
);
create unique index delivery_once on quality.delivery (feed, sha256, contract_version, vintage)
    where state = 'admitted';
comment on table quality.delivery is
    'One row a document received for a feed. Rows that it held = rows_in + rows_refused;'
    ' rows_in = rows_admitted + rows_unchanged + rows_quarantined.';

create table quality.delivery_coverage (
    delivery_id bigint not null references quality.delivery,
    feed text not null,
    scope text not null,
    period date not null,
    is_current boolean not null,
    primary key (delivery_id, scope, period)
);
create unique index delivery_coverage_current on quality.delivery_coverage (feed, scope, period) where is_current;
comment on table quality.delivery_coverage is
    'What a delivery speaks for: within it, a combination that the delivery does not hold is absent, not unknown.';

create table quality.quarantine (
    delivery_id bigint not null references quality.delivery,
    feed text not null,
    line_number integer not null,
    column_name text,
    rule text not null,
    reason text not null,
    row_token text
);
create index quarantine_delivery on quality.quarantine (delivery_id);
comment on table quality.quarantine is
    'One row a line that broke its contract: which rule and why. It holds no value of it; the line is in landing.';

create table quality.build (
    build_id bigint generated always as identity primary key,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    state text not null default 'running' check (state in ('running', 'published', 'held', 'failed')),
    reason text,
    fingerprint text,
    project_fingerprint text,
    models_built integer,
    checks_run integer,
    checks_failed integer,
    rows_changed bigint,
    airflow_run_id text
);
comment on table quality.build is 'One row a build of the marts.';

create table quality.build_delivery (
    build_id bigint not null references quality.build,
    delivery_id bigint not null references quality.delivery,
    primary key (build_id, delivery_id)
);
comment on table quality.build_delivery is 'The deliveries whose rows a build could see.';

create table quality.check_result (
    check_result_id bigint generated always as identity primary key,
    build_id bigint references quality.build,
    delivery_id bigint references quality.delivery,
    feed text,
    suite text not null,
    check_name text not null,
    table_name text not null,
    column_name text,
    severity text not null check (severity in ('error', 'warning')),
    success boolean not null,
    meaning text not null,
    next_step text not null,
    observed jsonb,
    checked_at timestamptz not null default now()
);
create index check_result_build on quality.check_result (build_id);
create index check_result_delivery on quality.check_result (delivery_id);
comment on table quality.check_result is
    'One row a check on a delivery or a build: what it means in plain English and what to do. No value of a record.';

create table quality.recording_change (
    change_id bigint generated always as identity primary key,
    series text not null,
    parent_series text,
    feed text not null,
    geography text,
    effective_month date not null,
    detected_at timestamptz not null default now(),
    kind text not null check (kind in ('recording', 'real', 'data_fault', 'unsure')),
    nature text check (nature in ('rename', 'split', 'merge', 'scope', 'counting_rule', 'geography', 'system',
        'practice', 'coverage', 'revision')),
    confidence numeric check (confidence between 0 and 1),
    evidence jsonb not null default '{}',
    state text not null default 'suspected',
    register_id text,
    treatment text
);
comment on table quality.recording_change is 'One row a change in counting that was found or registered.';

create table quality.alert (
    alert_id bigint generated always as identity primary key,
    dedup_key text not null,
    group_key text,
    severity text not null check (severity in ('held', 'act', 'note')),
    audience text not null check (audience in ('engineers', 'community_safety_team', 'agency_contact')),
    title text not null,
    body text not null,
    state text not null default 'open'
        check (state in ('open', 'acknowledged', 'confirmed', 'rejected', 'resolved')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    times_seen integer not null default 1,
    owner text,
    acknowledged_by text,
    resolved_at timestamptz,
    note text
);
create unique index alert_once on quality.alert (dedup_key) where state in ('open', 'acknowledged');
comment on table quality.alert is 'One row a suspected cause that people should know of.';
"""


def upgrade() -> None:
    """Create the tables of schema ``quality``."""
    op.execute("create schema if not exists raw")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """There is no way back from the first migration but a new home."""
    raise NotImplementedError("drop the schemas quality and raw by hand")
