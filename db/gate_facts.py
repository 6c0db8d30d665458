"""The facts that the gate judges: one query, in one round trip and one snapshot."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from db.schemas import statement
from db.versions import base_version
from domain.versions.eligibility import ConversationFacts, TrainingFileFacts
from domain.versions.naming import name_key

# The row of no conversation (id NULL) carries the training file. Where batch items have no
# `created_at`, the batch's id decides which one came first.
FACTS = """
    SELECT named.id, f.id AS training_file_id, f.name AS training_file, f.status, f.refuses_damage,
           f.created_at AS training_file_created_at, f.current_version AS number,
           CASE WHEN named.id IS NULL THEN f.consultant_profile END AS consultant_profile,
           v.json_key, v.json_size_bytes, v.json_digest, v.json_content_start, v.json_content_end,
           v.jsonl_key, v.jsonl_size_bytes, v.jsonl_digest, v.jsonl_content_start, v.statistics,
           CASE WHEN named.id IS NULL THEN (
               SELECT max(last.position) FROM $training_file_conversations last
               WHERE last.training_file_id = f.id AND last.removed_in IS NULL
           ) END AS last_position,
           c.conversation_id, c.enrichment_status, c.enriched_file_path,
           c.persona_key, c.emotional_arc_key, c.topic_key,
           batch.batch_job_id AS batch_id, member.added_in AS member_since,
           coalesce(alike.suffixes_taken, '{}') AS suffixes_taken
    FROM (SELECT NULL::uuid AS id UNION ALL SELECT unnest(CAST(:ids AS uuid[]))) AS named
    LEFT JOIN (
        SELECT * FROM $training_files WHERE name_key = :name_key AND deleted_at IS NULL
    ) AS f ON true
    LEFT JOIN $training_file_versions v
      ON v.training_file_id = f.id AND v.number = f.current_version AND named.id IS NULL
    LEFT JOIN $conversations c ON c.conversation_id = CAST(named.id AS $id_type)
    LEFT JOIN LATERAL (
        SELECT i.batch_job_id FROM $batch_items i WHERE i.conversation_key = c.conversation_key
        ORDER BY i.created_at, i.batch_job_id LIMIT 1) AS batch ON true
    LEFT JOIN $training_file_conversations member
      ON member.training_file_id = f.id
     AND member.conversation_id = named.id AND member.removed_in IS NULL
    LEFT JOIN LATERAL (
        SELECT array_agg(m.line_suffix) AS suffixes_taken FROM $training_file_conversations m
        WHERE m.training_file_id = f.id AND m.removed_in IS NULL
          AND m.conversation_id >= CAST(left(named.id::text, 8) || :lowest AS uuid)
          AND m.conversation_id <= CAST(left(named.id::text, 8) || :highest AS uuid)) AS alike
      ON true
"""
LOWEST = "-0000-0000-0000-000000000000"
HIGHEST = "-ffff-ffff-ffff-ffffffffffff"


def gate_facts(
    connection: Connection, name: str, ids: Sequence[UUID]
) -> tuple[TrainingFileFacts | None, dict[UUID, ConversationFacts]]:
    """Read the training file of this name, if there is one, and the conversations that exist."""
    values = {
        "ids": [str(id) for id in ids],
        "name_key": name_key(name),
        "lowest": LOWEST,
        "highest": HIGHEST,
    }
    rows = connection.execute(statement(connection, FACTS), values).mappings().all()
    (head,) = [row for row in rows if row["id"] is None]
    conversations = [row for row in rows if row["conversation_id"]]
    return _training_file(head), {
        row["id"]: ConversationFacts.model_validate({**row}) for row in conversations
    }


def _training_file(row: RowMapping) -> TrainingFileFacts | None:
    if row["training_file_id"] is None:
        return None
    return TrainingFileFacts(
        status=row["status"],
        current=base_version(row),
        last_position=row["last_position"],
        refuses_damage=row["refuses_damage"],
    )
