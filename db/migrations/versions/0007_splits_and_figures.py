"""Sides of a validation split, likenesses and figures of conversations."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        CREATE TABLE {own}.training_file_sides (
            training_file_id uuid NOT NULL,
            conversation_id uuid NOT NULL,
            side text NOT NULL,
            assigned_in integer NOT NULL,
            fraction text NOT NULL,
            CONSTRAINT pk_training_file_sides PRIMARY KEY (training_file_id, conversation_id),
            CONSTRAINT fk_training_file_sides_training_file_id_training_files
                FOREIGN KEY (training_file_id) REFERENCES {own}.training_files (id)
                ON DELETE CASCADE,
            CONSTRAINT ck_training_file_sides_side CHECK (side IN ('train', 'validation'))
        );
        CREATE TABLE {own}.conversation_likenesses (
            json_sha256 text NOT NULL,
            shingles bytea NOT NULL,
            answers bytea NOT NULL,
            CONSTRAINT pk_conversation_likenesses PRIMARY KEY (json_sha256)
        );
        CREATE TABLE {own}.conversation_figures (
            json_sha256 text NOT NULL,
            rules text NOT NULL,
            figures json NOT NULL,
            CONSTRAINT pk_conversation_figures PRIMARY KEY (json_sha256, rules)
        )
    """)


def downgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    for table in ("conversation_figures", "conversation_likenesses", "training_file_sides"):
        op.execute(f"DROP TABLE {own}.{table}")
