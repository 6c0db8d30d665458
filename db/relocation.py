"""Move the tables of an installation that is older than trainfold's own schema out of `public`.

Tables are told by their columns: an application may have tables of the same names there.
"""

from collections.abc import Collection

from sqlalchemy import Connection, text

from db.schema import VERSION_TABLE, quoted
from db.schemas import schemas_of
from domain.errors import AccessRefused, NotReady

# As they were in the last version that made tables in `public`.
_OWN = {
    "training_files": "id name name_key description status consultant_profile current_version "
    "created_at created_by updated_at",
    "training_file_versions": "training_file_id number request_id request_digest reason created_at "
    "created_by json_key json_size_bytes json_digest json_content_start json_content_end jsonl_key "
    "jsonl_size_bytes jsonl_digest jsonl_content_start conversation_count pair_count example_count "
    "statistics warnings",
    "training_file_conversations": "training_file_id conversation_id added_in removed_in position "
    "line_suffix json_length json_sha256 jsonl_length jsonl_sha256 pair_count example_count "
    "human_reviewed_count quality_sum quality_min quality_max quality_tier persona_key "
    "emotional_arc_key training_topic_key",
}
_SOURCES = {
    "conversations": "conversation_id enrichment_status enriched_file_path persona_key "
    "emotional_arc_key topic_key scaffolding_snapshot quality_score tier status created_by "
    "created_at",
    "batch_jobs": "id name created_at",
    "batch_items": "id batch_job_id conversation_id created_at",
}
_INDEXES_OF_SOURCES = {
    "ix_conversations_words",
    "ix_conversations_title",
    "uq_batch_items_batch_job_id_conversation_id",
    "ix_batch_items_conversation_id",
}
_RELATIONS = text("""
    SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind,
           pg_has_role(c.relowner, 'USAGE') AS is_ours, pg_get_userbyid(c.relowner) AS owner,
           (SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', :own) AND c.relname = ANY(:names)
""")


def move_from_public(connection: Connection) -> None:
    """Move an older installation's tables into trainfold's schema, and no table of another's."""
    own = schemas_of(connection).own
    names = [*_OWN, *_SOURCES, *_INDEXES_OF_SOURCES, VERSION_TABLE]
    rows = connection.execute(_RELATIONS, {"own": own, "names": names}).all()
    if any(row.schema == own and row.name == VERSION_TABLE for row in rows):
        return
    in_public = {row.name: row for row in rows if row.schema == "public"}
    columns = {row.name: set(row.columns) for row in in_public.values() if row.kind == "r"}
    if columns.get(VERSION_TABLE) != {"version_num"}:
        return
    tables = _ours(columns, in_public)
    owners = {in_public[name].owner for name in tables if not in_public[name].is_ours}
    if owners:
        raise AccessRefused(
            f"trainfold's tables in public belong to {', '.join(sorted(owners))}, who has to move "
            f"them into the schema {own}. Nothing was changed. Run `trainfold migrate` as that "
            "user once."
        )
    for name in tables:
        connection.execute(text(f"ALTER TABLE public.{name} SET SCHEMA {quoted(own)}"))


def _ours(columns: dict[str, set[str]], relations: Collection[str]) -> list[str]:
    """Return the tables to move: all of ours, with the source tables if no application made them.

    Where none is ours, the version table belongs to tables that are gone.
    """
    ours = [name for name in _OWN if columns.get(name, set()) >= set(_OWN[name].split())]
    if not ours:
        return []
    others = ", ".join(sorted(f"public.{name}" for name in set(_OWN) - set(ours)))
    if others:
        raise NotReady(
            f"An installation of trainfold in public lacks tables: {others}. Nothing was changed. "
            "Restore them from a backup; or, to begin with an empty installation, rename "
            f"public.{VERSION_TABLE} and public.{', public.'.join(ours)}, and migrate again."
        )
    are_sources_ours = set(relations) >= _INDEXES_OF_SOURCES and all(
        columns.get(name) == set(_SOURCES[name].split()) for name in _SOURCES
    )
    return [*ours, VERSION_TABLE, *(_SOURCES if are_sources_ours else ())]
