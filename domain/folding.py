"""Fold admitted conversations into the next version of a training file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import merge
from domain.consultant import strangers, wording_differences
from domain.digest import OF_NOTHING, extended
from domain.eligibility import Admission, TrainingFileFacts
from domain.errors import Blocked
from domain.findings import VersionWarning, gather
from domain.fragment import Fragment
from domain.jsonl import meta_line
from domain.merge import Document, Span
from domain.requests import AddRequest
from domain.statistics import Statistics, total
from domain.version import Contribution


@dataclass(frozen=True, slots=True)
class Fold:
    """The next version, ready to be stored: two documents that describe the same conversations."""

    training_file_id: UUID
    name: str
    number: int
    reason: str
    created: datetime
    updated: datetime
    consultant_profile: Mapping[str, Any]
    statistics: Statistics
    warnings: tuple[VersionWarning, ...]
    contributions: tuple[Contribution, ...]
    """Of the conversations that are new, or that contribute other bytes than before."""
    full: Document
    lines: Document
    json_digest: str
    jsonl_digest: str


def fold(
    request: AddRequest,
    admission: Admission,
    fragments: Sequence[Fragment],
    *,
    new_id: UUID,
    now: datetime,
) -> Fold:
    """The version that adds `fragments`, which stand in the order of the admission.

    `new_id` becomes the training file's when the request creates one. Raises Blocked for
    conversations of another consultant, and in a strict request for a profile worded differently.
    """
    base = admission.training_file
    profile = base.consultant_profile if base else fragments[0].consultant_profile
    warnings = _warnings(request, profile, fragments)
    labelled = tuple(
        fragment.relabelled(conversation.line_suffix)
        for fragment, conversation in zip(fragments, admission.conversations, strict=True)
    )
    added = [fragment.statistics for fragment in fragments]
    statistics = total([base.statistics, *added] if base else added)
    name = base.name if base else request.name
    created = base.created_at if base else now
    header = merge.full_header(
        name=name,
        created=created,
        updated=now,
        statistics=statistics,
        consultant_profile=profile,
    )
    old_full, old_lines = _content(base) if base else (None, None)
    contributions = tuple(fragment.contribution for fragment in labelled)
    return Fold(
        training_file_id=base.id if base else new_id,
        name=name,
        number=base.current_version + 1 if base else 1,
        reason="add" if base else "create",
        created=created,
        updated=now,
        consultant_profile=profile,
        statistics=statistics,
        warnings=warnings,
        contributions=contributions,
        full=merge.full_document(header, old_full, labelled),
        lines=merge.jsonl_document(meta_line(name, statistics.examples), old_lines, labelled),
        json_digest=extended(
            base.json_digest if base else OF_NOTHING, (each.json_sha256 for each in contributions)
        ),
        jsonl_digest=extended(
            base.jsonl_digest if base else OF_NOTHING, (each.jsonl_sha256 for each in contributions)
        ),
    )


def _warnings(
    request: AddRequest, profile: Mapping[str, Any], fragments: Sequence[Fragment]
) -> tuple[VersionWarning, ...]:
    others = strangers(profile, fragments)
    differences = list(wording_differences(profile, fragments))
    if request.strict:
        others.extend(difference.as_reason() for difference in differences)
    if others:
        raise Blocked(others)
    return gather([*(w for fragment in fragments for w in fragment.warnings), *differences])


def _content(base: TrainingFileFacts) -> tuple[Span, Span]:
    """Where the conversations and the example lines of the current version stand."""
    return (
        Span(base.json_key, base.json_content_start, base.json_content_end),
        Span(base.jsonl_key, base.jsonl_content_start, base.jsonl_size_bytes),
    )
