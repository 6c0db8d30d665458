"""Training files, versions, memberships."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OWN = {
    "training_files": """
        CREATE TABLE {own}.training_files (
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
        CREATE TABLE {own}.training_file_versions (
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
                FOREIGN KEY (training_file_id) REFERENCES {own}.training_files (id)
        )
    """,
    "training_file_conversations": """
        CREATE TABLE {own}.training_file_conversations (
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
                REFERENCES {own}.training_file_versions (training_file_id, number),
            CONSTRAINT ck_training_file_conversations_interval CHECK (removed_in > added_in)
        );
        CREATE UNIQUE INDEX uq_training_file_conversations_member
            ON {own}.training_file_conversations (training_file_id, conversation_id)
            WHERE removed_in IS NULL;
        CREATE UNIQUE INDEX uq_training_file_conversations_position
            ON {own}.training_file_conversations (training_file_id, position)
            WHERE removed_in IS NULL;
        CREATE INDEX ix_training_file_conversations_conversation_id
            ON {own}.training_file_conversations (conversation_id)
    """,
}


def upgrade() -> None:
    for sql in OWN.values():
        op.execute(sql.format(own=quoted(schemas_of(op.get_bind()).own)))


def downgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    for name in reversed(OWN):
        op.execute(f"DROP TABLE {own}.{name}")
