"""JSON documents of results; a contract, so they change only with a note in the changelog."""

from collections.abc import Sequence
from typing import Any

from domain.findings import Reason
from domain.naming import Format
from domain.statistics import Statistics, quality_summary, scaffolding_distribution
from domain.version import VersionRecord

FORMATS: tuple[Format, ...] = ("json", "jsonl")


def version_document(version: VersionRecord) -> dict[str, Any]:
    return {
        "training_file": version.training_file,
        "training_file_id": str(version.training_file_id),
        "version": version.number,
        "reason": version.reason,
        "request_id": version.request_id,
        "created_at": version.created_at.isoformat(),
        "created_by": version.created_by,
        "conversations": version.conversation_count,
        "training_pairs": version.pair_count,
        "examples": version.example_count,
        "statistics": statistics_document(version.statistics),
        **{format: _stored(version, format) for format in FORMATS},
        "warnings": [warning.model_dump() for warning in version.warnings],
    }


def statistics_document(statistics: Statistics) -> dict[str, Any]:
    return {
        "quality_summary": quality_summary(statistics),
        "scaffolding_distribution": scaffolding_distribution(statistics),
        "quality_tiers": statistics.tiers,
    }


def blocked_document(reasons: Sequence[Reason]) -> dict[str, Any]:
    return {"blocked": [reason.model_dump() for reason in reasons]}


def _stored(version: VersionRecord, format: Format) -> dict[str, Any]:
    stored = version.stored(format)
    return {"key": stored.key, "size_bytes": stored.size_bytes, "digest": stored.digest}
