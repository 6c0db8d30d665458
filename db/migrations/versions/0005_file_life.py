"""The life of a training file: names of versions, deletion, retention, and the log."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIFE = """
    ALTER TABLE {own}.training_files
        ADD COLUMN deleted_at timestamptz,
        ADD COLUMN keep_last integer,
        ADD COLUMN keep_days integer,
        ADD COLUMN keep_tagged boolean NOT NULL DEFAULT false,
        DROP CONSTRAINT ck_training_files_status,
        ADD CONSTRAINT ck_training_files_status
            CHECK (status IN ('active', 'archived', 'deleted')),
        ADD CONSTRAINT ck_training_files_deleted
            CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
        ADD CONSTRAINT ck_training_files_keep CHECK (keep_last > 0 AND keep_days > 0),
        DROP CONSTRAINT uq_training_files_name_key;
    CREATE UNIQUE INDEX uq_training_files_name_key
        ON {own}.training_files (name_key) WHERE deleted_at IS NULL;
    ALTER TABLE {own}.training_file_versions ADD COLUMN file_name text;
    UPDATE {own}.training_file_versions SET file_name = f.name
        FROM {own}.training_files f WHERE f.id = training_file_id;
    ALTER TABLE {own}.training_file_versions ALTER COLUMN file_name SET NOT NULL
"""
RELEASED = """
    CREATE TABLE {own}.released_versions (
        training_file_id uuid NOT NULL,
        number integer NOT NULL,
        released_at timestamptz NOT NULL,
        reason text NOT NULL,
        CONSTRAINT pk_released_versions PRIMARY KEY (training_file_id, number),
        CONSTRAINT fk_released_versions_version FOREIGN KEY (training_file_id, number)
            REFERENCES {own}.training_file_versions (training_file_id, number)
    )
"""
LOG = """
    CREATE TABLE {own}.training_file_log (
        id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        at timestamptz NOT NULL,
        training_file_id uuid,
        file_name text NOT NULL,
        name_key text NOT NULL,
        action text NOT NULL,
        outcome text NOT NULL,
        actor text NOT NULL,
        comment text NOT NULL,
        version integer,
        request_id text,
        run_id text,
        detail json NOT NULL,
        refusal_digest text,
        CONSTRAINT pk_training_file_log PRIMARY KEY (id),
        CONSTRAINT ck_training_file_log_outcome CHECK (outcome IN ('done', 'refused'))
    );
    CREATE INDEX ix_training_file_log_training_file_id_id
        ON {own}.training_file_log (training_file_id, id);
    CREATE INDEX ix_training_file_log_name_key_id ON {own}.training_file_log (name_key, id);
    CREATE UNIQUE INDEX uq_training_file_log_refusal
        ON {own}.training_file_log (request_id, refusal_digest)
        WHERE refusal_digest IS NOT NULL
"""
# A plain owner cannot take rights from itself for good; a trigger holds for it, too.
APPEND_ONLY = """
    CREATE FUNCTION {own}.refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the log of training files is append-only'
            USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE
        ON {own}.training_file_log
        FOR EACH STATEMENT EXECUTE FUNCTION {own}.refuse_change_of_log()
"""


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    for sql in (LIFE, RELEASED, LOG, APPEND_ONLY):
        op.execute(sql.format(own=own))


def downgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        DROP TABLE {own}.training_file_log;
        DROP FUNCTION {own}.refuse_change_of_log();
        DROP TABLE {own}.released_versions;
        ALTER TABLE {own}.training_file_versions DROP COLUMN file_name;
        DROP INDEX {own}.uq_training_files_name_key;
        ALTER TABLE {own}.training_files
            DROP COLUMN keep_last, DROP COLUMN keep_days, DROP COLUMN keep_tagged,
            DROP COLUMN deleted_at,
            DROP CONSTRAINT ck_training_files_status,
            ADD CONSTRAINT ck_training_files_status CHECK (status IN ('active', 'archived')),
            ADD CONSTRAINT uq_training_files_name_key UNIQUE (name_key)
    """)
