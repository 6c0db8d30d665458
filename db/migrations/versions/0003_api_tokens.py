"""Tokens of the HTTP API."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        CREATE TABLE {own}.api_tokens (
            id text NOT NULL,
            name text NOT NULL,
            secret_sha256 text NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            last_used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT pk_api_tokens PRIMARY KEY (id)
        );
        CREATE UNIQUE INDEX uq_api_tokens_name
            ON {own}.api_tokens (name) WHERE revoked_at IS NULL
    """)


def downgrade() -> None:
    op.execute(f"DROP TABLE {quoted(schemas_of(op.get_bind()).own)}.api_tokens")
