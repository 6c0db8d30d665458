"""History: why a version was made, which one it restored, and tags."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        ALTER TABLE {own}.training_file_versions
            ADD COLUMN comment text NOT NULL DEFAULT '',
            ADD COLUMN restores integer;
        CREATE TABLE {own}.training_file_tags (
            training_file_id uuid NOT NULL,
            name text NOT NULL,
            version integer NOT NULL,
            is_protected boolean NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            CONSTRAINT pk_training_file_tags PRIMARY KEY (training_file_id, name),
            CONSTRAINT fk_training_file_tags_training_file_id_training_files
                FOREIGN KEY (training_file_id) REFERENCES {own}.training_files (id)
                ON DELETE CASCADE,
            CONSTRAINT fk_training_file_tags_version FOREIGN KEY (training_file_id, version)
                REFERENCES {own}.training_file_versions (training_file_id, number)
                DEFERRABLE INITIALLY DEFERRED
        )
    """)


def downgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        DROP TABLE {own}.training_file_tags;
        ALTER TABLE {own}.training_file_versions DROP COLUMN comment, DROP COLUMN restores
    """)
