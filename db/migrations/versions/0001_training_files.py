"""Training files, versions, memberships; the application's source tables where they are missing."""

from alembic import op
from sqlalchemy import inspect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SOURCES = {
    "conversations": """
        CREATE TABLE conversations (
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
        CREATE INDEX ix_conversations_created_at ON conversations (created_at, conversation_id);
        CREATE INDEX ix_conversations_quality_score
            ON conversations (quality_score, conversation_id);
        CREATE INDEX ix_conversations_enrichment_status
            ON conversations (enrichment_status, conversation_id);
        CREATE INDEX ix_conversations_words
            ON conversations (persona_key, emotional_arc_key, topic_key);
        CREATE INDEX ix_conversations_persona_key ON conversations (persona_key, conversation_id);
        CREATE INDEX ix_conversations_emotional_arc_key
            ON conversations (emotional_arc_key, conversation_id);
        CREATE INDEX ix_conversations_topic_key ON conversations (topic_key, conversation_id);
        CREATE INDEX ix_conversations_tier ON conversations (tier, conversation_id);
        CREATE INDEX ix_conversations_title
            ON conversations ((scaffolding_snapshot #>> '{training_topic,name}'), conversation_id);
        CREATE INDEX ix_conversations_person
            ON conversations ((scaffolding_snapshot #>> '{persona,name}'))
    """,
    "batch_jobs": """
        CREATE TABLE batch_jobs (
            id uuid PRIMARY KEY,
            name text,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """,
    "batch_items": """
        CREATE TABLE batch_items (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            batch_job_id uuid NOT NULL REFERENCES batch_jobs (id),
            conversation_id uuid REFERENCES conversations (conversation_id),
            created_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        CREATE UNIQUE INDEX uq_batch_items_batch_job_id_conversation_id
            ON batch_items (batch_job_id, conversation_id);
        CREATE INDEX ix_batch_items_conversation_id ON batch_items (conversation_id, batch_job_id)
    """,
}

OWN = {
    "training_files": """
        CREATE TABLE training_files (
            id uuid NOT NULL,
            name text NOT NULL,
            name_key text NOT NULL,
            description text NOT NULL,
            status text NOT NULL DEFAULT 'active',
            consultant_profile json NOT NULL,
            current_version integer NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            updated_at timestamptz NOT NULL,
            CONSTRAINT pk_training_files PRIMARY KEY (id),
            CONSTRAINT uq_training_files_name_key UNIQUE (name_key),
            CONSTRAINT ck_training_files_status CHECK (status IN ('active', 'archived'))
        )
    """,
    "training_file_versions": """
        CREATE TABLE training_file_versions (
            training_file_id uuid NOT NULL,
            number integer NOT NULL,
            request_id text NOT NULL,
            request_digest text NOT NULL,
            reason text NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            json_key text NOT NULL,
            json_size_bytes bigint NOT NULL,
            json_digest text NOT NULL,
            json_content_start bigint NOT NULL,
            json_content_end bigint NOT NULL,
            jsonl_key text NOT NULL,
            jsonl_size_bytes bigint NOT NULL,
            jsonl_digest text NOT NULL,
            jsonl_content_start bigint NOT NULL,
            conversation_count integer NOT NULL,
            pair_count integer NOT NULL,
            example_count integer NOT NULL,
            statistics json NOT NULL,
            warnings json NOT NULL,
            CONSTRAINT pk_training_file_versions PRIMARY KEY (training_file_id, number),
            CONSTRAINT uq_training_file_versions_request_id UNIQUE (request_id),
            CONSTRAINT uq_training_file_versions_json_key UNIQUE (json_key),
            CONSTRAINT uq_training_file_versions_jsonl_key UNIQUE (jsonl_key),
            CONSTRAINT ck_training_file_versions_number CHECK (number > 0),
            CONSTRAINT ck_training_file_versions_reason
                CHECK (reason IN ('create', 'add', 'remove', 'rebuild', 'rollback')),
            CONSTRAINT fk_training_file_versions_training_file_id_training_files
                FOREIGN KEY (training_file_id) REFERENCES training_files (id)
        )
    """,
    "training_file_conversations": """
        CREATE TABLE training_file_conversations (
            training_file_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            added_in integer NOT NULL,
            removed_in integer,
            position integer NOT NULL,
            line_suffix text NOT NULL,
            json_length integer NOT NULL,
            json_sha256 text NOT NULL,
            jsonl_length integer NOT NULL,
            jsonl_sha256 text NOT NULL,
            pair_count integer NOT NULL,
            example_count integer NOT NULL,
            human_reviewed_count integer NOT NULL,
            quality_sum numeric NOT NULL,
            quality_min numeric NOT NULL,
            quality_max numeric NOT NULL,
            quality_tier text NOT NULL,
            persona_key text NOT NULL,
            emotional_arc_key text NOT NULL,
            training_topic_key text NOT NULL,
            CONSTRAINT pk_training_file_conversations
                PRIMARY KEY (training_file_id, conversation_id, added_in),
            CONSTRAINT fk_training_file_conversations_version
                FOREIGN KEY (training_file_id, added_in)
                REFERENCES training_file_versions (training_file_id, number),
            CONSTRAINT ck_training_file_conversations_interval CHECK (removed_in > added_in)
        );
        CREATE UNIQUE INDEX uq_training_file_conversations_member
            ON training_file_conversations (training_file_id, conversation_id)
            WHERE removed_in IS NULL;
        CREATE UNIQUE INDEX uq_training_file_conversations_position
            ON training_file_conversations (training_file_id, position)
            WHERE removed_in IS NULL;
        CREATE INDEX ix_training_file_conversations_conversation_id
            ON training_file_conversations (conversation_id)
    """,
}


def upgrade() -> None:
    # A table that is there belongs to the application, which alone changes it.
    existing = set(inspect(op.get_bind()).get_table_names())
    missing = {name: sql for name, sql in SOURCES.items() if name not in existing}
    for name, sql in (missing | OWN).items():
        op.execute(sql)
        # No policy: the owner and the service role pass, a public data API shows nothing.
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    for name in reversed(OWN):
        op.execute(f"DROP TABLE {name}")
