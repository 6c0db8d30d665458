"""Source tables of our own, and the installation's id."""

from alembic import op
from sqlalchemy import inspect

from db.schema import quoted
from db.schemas import schemas_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SOURCES = {
    "conversations": """
        CREATE TABLE {own}.conversations (
            conversation_id uuid PRIMARY KEY,
            enrichment_status text NOT NULL DEFAULT 'not_started' CHECK (enrichment_status IN (
                'not_started', 'validation_failed', 'validated', 'enrichment_in_progress',
                'enriched', 'normalization_failed', 'completed')),
            enriched_file_path text,
            persona_key text,
            emotional_arc_key text,
            topic_key text,
            scaffolding_snapshot jsonb,
            quality_score numeric,
            tier text,
            status text,
            created_by text,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX ix_conversations_created_at
            ON {own}.conversations (created_at, conversation_id);
        CREATE INDEX ix_conversations_quality_score
            ON {own}.conversations (quality_score, conversation_id);
        CREATE INDEX ix_conversations_enrichment_status
            ON {own}.conversations (enrichment_status, conversation_id);
        CREATE INDEX ix_conversations_words
            ON {own}.conversations (persona_key, emotional_arc_key, topic_key);
        CREATE INDEX ix_conversations_persona_key
            ON {own}.conversations (persona_key, conversation_id);
        CREATE INDEX ix_conversations_emotional_arc_key
            ON {own}.conversations (emotional_arc_key, conversation_id);
        CREATE INDEX ix_conversations_topic_key ON {own}.conversations (topic_key, conversation_id);
        CREATE INDEX ix_conversations_tier ON {own}.conversations (tier, conversation_id);
        CREATE INDEX ix_conversations_title
            ON {own}.conversations
            ((scaffolding_snapshot #>> '{{training_topic,name}}'), conversation_id);
        CREATE INDEX ix_conversations_person
            ON {own}.conversations ((scaffolding_snapshot #>> '{{persona,name}}'))
    """,
    "batch_jobs": """
        CREATE TABLE {own}.batch_jobs (
            id uuid PRIMARY KEY,
            name text,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """,
    "batch_items": """
        CREATE TABLE {own}.batch_items (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            batch_job_id uuid NOT NULL REFERENCES {own}.batch_jobs (id),
            conversation_id uuid REFERENCES {own}.conversations (conversation_id),
            created_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        CREATE UNIQUE INDEX uq_batch_items_batch_job_id_conversation_id
            ON {own}.batch_items (batch_job_id, conversation_id);
        CREATE INDEX ix_batch_items_conversation_id
            ON {own}.batch_items (conversation_id, batch_job_id)
    """,
}

INSTALLATION = """
    CREATE TABLE {own}.installation (
        id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_installation PRIMARY KEY (id)
    );
    INSERT INTO {own}.installation VALUES (gen_random_uuid(), now())
"""


def upgrade() -> None:
    own = schemas_of(op.get_bind()).own
    # An older installation made them in `public`; they came here with its other tables.
    inspector = inspect(op.get_bind())
    existing = {*inspector.get_table_names(own), *inspector.get_view_names(own)}
    missing = [sql for name, sql in SOURCES.items() if name not in existing]
    for sql in [*missing, INSTALLATION]:
        op.execute(sql.format(own=quoted(own)))


def downgrade() -> None:
    # The source tables stay: they may be all that knows of imported conversations.
    op.execute(f"DROP TABLE {quoted(schemas_of(op.get_bind()).own)}.installation")
