"""The gate's one query: all facts about a request, in one round trip and one snapshot."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from db.versions import find_request
from domain.eligibility import (
    Admission,
    ConversationFacts,
    EligibleConversation,
    TrainingFileFacts,
    admit,
    readmit,
    refuse_malformed,
)
from domain.errors import Blocked
from domain.naming import name_key
from domain.requests import AddRequest
from domain.version import Member, VersionRecord

# to_jsonb: an application's own batch_items may have no created_at; then the id decides.
FACTS = text("""
    SELECT named.id, f.id AS training_file_id, f.name, f.status, f.created_at, f.current_version,
           CASE WHEN named.id IS NULL THEN f.consultant_profile END AS consultant_profile,
           v.json_key, v.json_digest, v.json_content_start, v.json_content_end,
           v.jsonl_key, v.jsonl_digest, v.jsonl_content_start, v.jsonl_size_bytes, v.statistics,
           c.conversation_id, c.enrichment_status, c.enriched_file_path,
           c.persona_key, c.emotional_arc_key, c.topic_key,
           batch.batch_job_id, member.added_in AS member_since, alike.suffixes_taken
    FROM (SELECT NULL::uuid AS id UNION ALL SELECT unnest(CAST(:ids AS uuid[]))) AS named
    LEFT JOIN (SELECT * FROM training_files WHERE name_key = :name_key) AS f ON true
    LEFT JOIN training_file_versions v
      ON v.training_file_id = f.id AND v.number = f.current_version AND named.id IS NULL
    LEFT JOIN conversations c ON c.conversation_id = named.id
    LEFT JOIN LATERAL (
        SELECT i.batch_job_id FROM batch_items i WHERE i.conversation_id = named.id
        ORDER BY to_jsonb(i) ->> 'created_at', i.batch_job_id LIMIT 1) AS batch ON true
    LEFT JOIN training_file_conversations member
      ON member.training_file_id = f.id
     AND member.conversation_id = named.id AND member.removed_in IS NULL
    LEFT JOIN LATERAL (
        SELECT array_agg(m.line_suffix) AS suffixes_taken FROM training_file_conversations m
        WHERE m.training_file_id = f.id AND m.removed_in IS NULL
          AND m.conversation_id >= CAST(left(named.id::text, 8) || :lowest AS uuid)
          AND m.conversation_id <= CAST(left(named.id::text, 8) || :highest AS uuid)) AS alike
      ON true
""")
LOWEST = "-0000-0000-0000-000000000000"
HIGHEST = "-ffff-ffff-ffff-ffffffffffff"


def gate(connection: Connection, request: AddRequest) -> Admission:
    """Let the request in or raise Blocked with every reason; changes nothing."""
    refuse_malformed(request)
    head, facts = _facts(connection, request.name, [id for id in request.ids if id])
    return admit(request, head, facts)


def regate(
    connection: Connection, name: str, members: Sequence[Member]
) -> tuple[EligibleConversation, ...]:
    """The members of a training file, if all may still be in it; raises Blocked otherwise."""
    _, facts = _facts(connection, name, [member.conversation_id for member in members])
    return readmit(members, facts)


def _facts(
    connection: Connection, name: str, ids: Sequence[UUID]
) -> tuple[TrainingFileFacts | None, dict[UUID, ConversationFacts]]:
    """The one query. The row of no conversation tells of the training file."""
    values = {
        "ids": [str(id) for id in ids],
        "name_key": name_key(name),
        "lowest": LOWEST,
        "highest": HIGHEST,
    }
    rows = connection.execute(FACTS, values).mappings().all()
    (head,) = [row for row in rows if row["id"] is None]
    return _training_file(head), {
        row["id"]: _conversation(row) for row in rows if row["conversation_id"]
    }


def decide(connection: Connection, request: AddRequest) -> VersionRecord | Admission:
    """The version that this request has made already, or its admission; raises Blocked."""
    refuse_malformed(request)
    done = find_request(connection, request)
    if done is not None:
        return done
    try:
        return gate(connection, request)
    except Blocked:
        # By itself, perhaps: this very request may have been committed since the look-up.
        done = find_request(connection, request)
        if done is None:
            raise
        return done


def _training_file(row: Any) -> TrainingFileFacts | None:
    if row["training_file_id"] is None:
        return None
    return TrainingFileFacts.model_validate({**row, "id": row["training_file_id"]})


def _conversation(row: Any) -> ConversationFacts:
    return ConversationFacts.model_validate(
        {
            **row,
            "batch_id": row["batch_job_id"],
            "suffixes_taken": row["suffixes_taken"] or (),
        }
    )
