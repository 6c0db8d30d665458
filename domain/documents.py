"""JSON documents of results; a contract, so they change only with a note in the changelog."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.diagnosis import Check, failures
from domain.errors import Damaged, TrainfoldError
from domain.exports.stored import StoredExport
from domain.exports.summary import ExportSummary
from domain.findings import Reason
from domain.format import FORMATS, Format
from domain.statistics import VersionStatistics, quality_summary, scaffolding_distribution
from domain.versions.diff import (
    ABSENT,
    ConversationChange,
    FieldChange,
    VersionDiff,
    excerpts,
)
from domain.versions.eligibility import Admission
from domain.versions.log import RecordedEntry
from domain.versions.plans import PlanProgress, Proposal
from domain.versions.record import Member, VersionRecord
from domain.versions.requests import AddRequest
from domain.versions.retention import KeepPolicy

if TYPE_CHECKING:
    # Commands that report no fitness need not import it.
    from domain.fitness.report import FitnessReport

MAX_VALUE_LENGTH = 1_000
"""Characters of a changed value that a comparison shows."""


def version_document(version: VersionRecord) -> dict[str, Any]:
    return {
        "training_file": version.training_file,
        "training_file_id": str(version.training_file_id),
        "version": version.number,
        "file_name": version.file_name,
        "released_at": version.released_at.isoformat() if version.released_at else None,
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
        "comment": version.comment,
        "restores": version.restores,
        "tags": [tag.model_dump() for tag in version.tags],
    }


def statistics_document(statistics: VersionStatistics) -> dict[str, Any]:
    return {
        "quality_summary": quality_summary(statistics),
        "scaffolding_distribution": scaffolding_distribution(statistics),
        "quality_tiers": statistics.tiers,
    }


def admitted_document(request: AddRequest, admission: Admission) -> dict[str, Any]:
    eligible = [str(conversation.conversation_id) for conversation in admission.conversations]
    return {
        "training_file": request.name,
        "new": request.new,
        "eligible": eligible,
        **blocked_document(()),
    }


def blocked_document(reasons: Sequence[Reason]) -> dict[str, Any]:
    return {"blocked": [reason.model_dump() for reason in reasons]}


def error_document(error: TrainfoldError) -> dict[str, Any]:
    return {"error": {"type": type(error).__name__, "message": str(error)}}


def entry_document(entry: RecordedEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "training_file_id": str(entry.training_file_id) if entry.training_file_id else None,
        "training_file": entry.file_name,
        "action": entry.action,
        "outcome": entry.outcome,
        "by": entry.actor,
        "comment": entry.comment,
        "version": entry.version,
        "request_id": entry.request_id,
        "run_id": entry.run_id,
        "detail": entry.detail,
    }


def policy_document(name: str, policy: KeepPolicy) -> dict[str, Any]:
    return {
        "training_file": name,
        "all": policy.keeps_all,
        "last": policy.last,
        "days": policy.days,
        "tagged": policy.tagged,
    }


def damage_document(name: str, *, refused: bool) -> dict[str, Any]:
    return {"training_file": name, "refuses_damage": refused}


def link_document(url: str, lifetime: timedelta) -> dict[str, Any]:
    return {"url": url, "expires_in_seconds": int(lifetime.total_seconds())}


def plan_document(progress: PlanProgress) -> dict[str, Any]:
    """Describe a plan, and how far it is."""
    plan = progress.plan
    return {
        **proposal_document(plan),
        "plan": plan.request.request_id,
        "created_at": plan.created_at.isoformat(),
        "added": progress.added,
        "done": progress.is_done,
        "versions": [
            {"part": part, "version": number} for part, number in progress.versions.items()
        ],
    }


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """Describe what a plan would add."""
    request = proposal.request
    return {
        "plan": None,
        "training_file": request.name,
        "new": request.new,
        "where": list(request.matching.conditions),
        "one_version": request.one_version,
        "matched": proposal.matched,
        "in_file": proposal.in_file,
        "to_add": len(proposal.conversation_ids),
        "parts": proposal.part_count,
    }


def rebuilt_document(
    version: VersionRecord, *, is_new: bool, changed: Iterable[UUID], damaged: Iterable[UUID]
) -> dict[str, Any]:
    return version_document(version) | {
        "new": is_new,
        "changed": [str(id) for id in changed],
        "damaged": [str(id) for id in damaged],
    }


def export_document(
    version: VersionRecord, summary: ExportSummary, exports: Iterable[StoredExport]
) -> dict[str, Any]:
    return {
        "training_file": version.training_file,
        "version": version.number,
        "conversations": summary.conversations,
        "targets": summary.targets,
        "unanswered": summary.unanswered,
        "without_target": summary.without_target,
        "max_length": summary.max_length,
        "exports": [stored_export_document(export) for export in exports],
    }


def stored_export_document(export: StoredExport) -> dict[str, Any]:
    return {
        "version": export.number,
        "format": export.format,
        "split": export.sides,
        "file_name": export.part.file_name,
        "key": export.key,
        "size_bytes": export.size_bytes,
        "sha256": export.sha256,
        "rows": export.row_count,
        "targets": export.target_count,
        "conversations": export.conversation_count,
        "options_digest": export.options_digest,
        "created_at": export.created_at.isoformat(),
        "created_by": export.created_by,
    }


def stored_exports_document(
    version: VersionRecord, exports: Iterable[StoredExport]
) -> dict[str, Any]:
    return {
        "training_file": version.training_file,
        "version": version.number,
        "exports": [stored_export_document(export) for export in exports],
    }


def fitness_document(report: "FitnessReport") -> dict[str, Any]:
    return report.model_dump(mode="json")


def diff_document(diff: VersionDiff, *, limit: int) -> dict[str, Any]:
    """Describe what differs, with at most `limit` items in each list; counts are of all."""
    members = diff.members
    details = [_conversation_change(change, limit) for change in diff.details]
    count = len(members.changed)
    return {
        "training_file": diff.after.training_file,
        "from": diff.before.number,
        "to": diff.after.number,
        "identical": diff.is_identical,
        "added": _listed(members.added, limit),
        "removed": _listed(members.removed, limit),
        "moved": _listed(members.moved, limit),
        "changed": {"count": count, "conversations": details, "more": count - len(details)},
        "statistics": {
            "from": _numbers(diff.before),
            "to": _numbers(diff.after),
        },
    }


def _listed(members: Sequence[Member], limit: int) -> dict[str, Any]:
    ids = [str(member.conversation_id) for member in members[:limit]]
    return {"count": len(members), "conversation_ids": ids, "more": len(members) - len(ids)}


def _conversation_change(change: ConversationChange, limit: int) -> dict[str, Any]:
    return {
        "conversation_id": str(change.conversation_id),
        **_fields(change.fields, limit),
        "pairs": [
            {
                "id": pair.id,
                "turn_number": pair.turn_number,
                "change": pair.change,
                **_fields(pair.fields, limit),
            }
            for pair in change.pairs[:limit]
        ],
        "more_pairs": max(0, len(change.pairs) - limit),
    }


def _fields(changes: Sequence[FieldChange], limit: int) -> dict[str, Any]:
    """Describe changed fields; the side on which a field is absent is left out."""
    fields = []
    for change in changes[:limit]:
        before, after = excerpts(change, MAX_VALUE_LENGTH)
        sides = {"before": before, "after": after}
        present = {side: value for side, value in sides.items() if value is not ABSENT}
        fields.append({"path": change.path, **present})
    return {"fields": fields, "more_fields": max(0, len(changes) - limit)}


def _numbers(version: VersionRecord) -> dict[str, Any]:
    return {
        "conversations": version.conversation_count,
        "training_pairs": version.pair_count,
        "examples": version.example_count,
        **statistics_document(version.statistics),
    }


def verified_document(names: Sequence[str], damaged: Sequence[Damaged]) -> dict[str, Any]:
    return {
        "verified": list(names),
        "damaged": [
            {"training_file": d.name, "version": d.version, "findings": list(d.findings)}
            for d in damaged
        ],
    }


def diagnosis_document(checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "sound": not failures(checks),
        "checks": [
            {
                "check": check.name,
                "state": check.outcome.value,
                "finding": check.finding,
                "text": check.text,
                "sql": list(check.sql),
            }
            for check in checks
        ],
    }


def _stored(version: VersionRecord, format: Format) -> dict[str, Any]:
    stored = version.stored(format)
    return {"key": stored.key, "size_bytes": stored.size_bytes, "digest": stored.digest}
