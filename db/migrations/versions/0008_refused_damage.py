"""A training file may refuse conversations with damaged text."""

from alembic import op

from db.schema import quoted
from db.schemas import schemas_of

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"""
        ALTER TABLE {own}.training_files
            ADD COLUMN refuses_damage boolean NOT NULL DEFAULT false
    """)


def downgrade() -> None:
    own = quoted(schemas_of(op.get_bind()).own)
    op.execute(f"ALTER TABLE {own}.training_files DROP COLUMN refuses_damage")
