"""Files made from versions, for trainers."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        CREATE TABLE {own}.version_exports (
            training_file_id uuid NOT NULL,
            number integer NOT NULL,
            format text NOT NULL,
            split text NOT NULL,
            options_digest text NOT NULL,
            key text NOT NULL,
            size_bytes bigint NOT NULL,
            sha256 text NOT NULL,
            row_count integer NOT NULL,
            target_count integer NOT NULL,
            conversation_count integer NOT NULL,
            summary json NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            CONSTRAINT pk_version_exports
                PRIMARY KEY (training_file_id, number, format, split, options_digest),
            CONSTRAINT uq_version_exports_key UNIQUE (key),
            CONSTRAINT ck_version_exports_format
                CHECK (format IN ('messages', 'prompt-completion', 'sharegpt', 'parquet')),
            CONSTRAINT ck_version_exports_split CHECK (split IN ('', 'train', 'validation')),
            CONSTRAINT fk_version_exports_version FOREIGN KEY (training_file_id, number)
                REFERENCES {own}.training_file_versions (training_file_id, number)
                ON DELETE CASCADE
        )
    """)


def downgrade() -> None:
    op.execute(f"DROP TABLE {quoted(schemas_of(op.get_bind()).own)}.version_exports")
