"""The installation's id, which things outside of the database can be bound to."""

from uuid import UUID

from sqlalchemy import Connection, select

from db.schema import InstallationTable


def installation_id(connection: Connection) -> UUID:
    """Return the id that the migration gave this installation."""
    return connection.execute(select(InstallationTable.id)).scalar_one()
