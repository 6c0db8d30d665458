"""What was computed of conversations that are in no version any more: count it, remove it."""

from datetime import timedelta

from sqlalchemy import Connection

from db.schemas import statement

# Most memberships are in the current version, which is never released: no version is looked up.
NOT_NEEDED = """
    NOT EXISTS (
        SELECT FROM $training_file_conversations m
        JOIN $training_files f ON f.id = m.training_file_id
        WHERE m.json_sha256 = computed.json_sha256
          AND (f.deleted_at IS NULL OR f.deleted_at >= clock_timestamp() - CAST(:grace AS interval))
          AND (m.removed_in IS NULL OR EXISTS (
              SELECT FROM generate_series(m.added_in, m.removed_in - 1) AS held (number)
              WHERE NOT EXISTS (
                  SELECT FROM $released_versions r
                  WHERE r.training_file_id = f.id AND r.number = held.number)))
    )
"""
DIGESTS = """
    SELECT computed.json_sha256 FROM (
        SELECT json_sha256 FROM $conversation_figures
        UNION SELECT json_sha256 FROM $conversation_likenesses
    ) AS computed WHERE
"""
SIDES = """
    DELETE FROM $training_file_sides s USING $training_files f
    WHERE f.id = s.training_file_id AND f.deleted_at < clock_timestamp() - CAST(:grace AS interval)
"""


def leftover_digests(connection: Connection, *, grace: timedelta) -> list[str]:
    """List digests of fragments that no version holds and of which something is stored.

    A released version holds none, and neither does a training file that was deleted longer ago than
    the grace time.
    """
    query = statement(connection, DIGESTS + NOT_NEEDED)
    return list(connection.execute(query, {"grace": grace}).scalars())


def remove_leftovers(connection: Connection, digests: list[str], *, grace: timedelta) -> None:
    """Remove figures and likenesses of these, and the sides of deleted training files."""
    for table in ("$conversation_figures", "$conversation_likenesses"):
        # A version may have been made of them since they were listed.
        delete = f"DELETE FROM {table} computed WHERE json_sha256 = ANY(:digests) AND "  # noqa: S608
        values = {"digests": digests, "grace": grace}
        connection.execute(statement(connection, delete + NOT_NEEDED), values)
    connection.execute(statement(connection, SIDES), {"grace": grace})
