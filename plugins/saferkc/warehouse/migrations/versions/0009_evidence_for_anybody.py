"""Sentences of evidence that were written before counts went through the gate lose their small ones."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# As the sentences wrote numbers of records: "about 3 a month", "by about 2.7, which", "(2.1 a month since)". What is
# found again is written anew with its counts; what was decided stays as it was, and only these go.
_SMALL = r"(\mabout )?\m[0-7](\.[0-9]+)?(?= a month)|\mabout [0-7](\.[0-9]+)?\M(?![0-9.,]*[0-9]| ?%)"
_OPEN = "'mps_other_crime', 'mps_recorded_crime', 'police_open_street'"
_SENTENCES = f"""
update quality.recording_change
set evidence = jsonb_set(
    evidence, '{{sentences}}',
    (
        select coalesce(jsonb_agg(regexp_replace(said, '{_SMALL}', '7 or fewer', 'g') order by place), '[]')
        from jsonb_array_elements_text(evidence -> 'sentences') with ordinality as sentences (said, place)
    )
)
where evidence ? 'sentences' and split_part(feed, ' ', 1) not in ({_OPEN})
"""  # noqa: S608 - our own words
_BODIES = f"""
update quality.alert as a
set body = regexp_replace(a.body, '{_SMALL}', '7 or fewer', 'g')
from quality.recording_change as c
where a.change_id = c.change_id and split_part(c.feed, ' ', 1) not in ({_OPEN})
"""  # noqa: S608 - our own words


def upgrade() -> None:
    """Take small counts out of what is kept in words."""
    op.execute(_SENTENCES)
    op.execute(_BODIES)


def downgrade() -> None:
    """What was taken out is kept nowhere else, and nothing asks for it."""
