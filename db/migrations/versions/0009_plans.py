"""Plans: which conversations to add, fixed when a plan is made."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        CREATE TABLE {own}.add_plans (
            id text NOT NULL,
            training_file text NOT NULL,
            training_file_id uuid,
            conditions text[] NOT NULL,
            is_new boolean NOT NULL,
            description text NOT NULL,
            strict boolean NOT NULL,
            one_version boolean NOT NULL,
            requested_by text NOT NULL,
            matched integer NOT NULL,
            in_file integer NOT NULL,
            conversation_ids uuid[] NOT NULL,
            created_at timestamptz NOT NULL,
            CONSTRAINT pk_add_plans PRIMARY KEY (id)
        )
    """)


def downgrade() -> None:
    op.execute(f"DROP TABLE {quoted(schemas_of(op.get_bind()).own)}.add_plans")
