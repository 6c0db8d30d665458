"""Check the file of an eligible conversation and render it to a fragment."""

from collections.abc import Iterable

from domain.errors import Blocked
from domain.findings import Reason, gather
from domain.format import jsonl
from domain.format.fragment import Fragment
from domain.format.full_json import render_conversation
from domain.source.checking import capped, read
from domain.source.limits import Limits
from domain.source.warnings import warnings_of
from domain.statistics import of_pairs
from domain.versions.eligibility import EligibleConversation
from domain.versions.strictness import Strictness, refusals


def validate(
    data: bytes,
    eligible: EligibleConversation,
    *,
    limits: Limits,
    strictness: Strictness = "nothing",
) -> Fragment:
    """Check one conversation's file and render its fragment; raises Blocked with every reason.

    The same bytes, id, batch and line suffix give the same fragment (invariant 7).
    """
    conversation_id = eligible.conversation_id
    raw, conversation = read(data, conversation_id, limits=limits)
    warnings = gather(warnings_of(conversation_id, conversation, eligible.row_scaffolding))
    if len(warnings) > limits.warnings_per_conversation:
        most = limits.warnings_per_conversation
        text = f"{len(warnings):,} different warnings; at most {most:,}."
        raise Blocked(
            [Reason(conversation_id=str(conversation_id), code="too-many-warnings", reason=text)]
        )
    if reasons := refusals(warnings, strictness):
        raise Blocked(capped(reasons, limits))
    pairs = raw["training_pairs"]
    statistics = of_pairs(conversation.training_pairs)
    return Fragment(
        conversation_id=conversation_id,
        full=render_conversation(
            conversation_id,
            conversation,
            pairs,
            batch_id=eligible.batch_id,
            quality_tier=statistics.quality_tier,
        ),
        lines=jsonl.example_lines(conversation_id, pairs, suffix=eligible.line_suffix),
        line_suffix=eligible.line_suffix,
        statistics=statistics,
        consultant_profile=raw["consultant_profile"],
        warnings=warnings,
    )


def refuse_excess_bytes(sizes: Iterable[int], *, limits: Limits) -> None:
    """Raise Blocked where a request's source files are too large together (invariant 13)."""
    total = sum(sizes)
    if total > limits.request_bytes:
        raise Blocked(
            [
                Reason(
                    code="request-too-large",
                    reason=f"The conversations' files have {total:,} bytes together; at most "
                    f"{limits.request_bytes:,} in one request. Split them over several requests.",
                )
            ]
        )


def refuse_excess(fragments: Iterable[Fragment], *, limits: Limits) -> None:
    """Raise Blocked where what a request contributes is too much together (invariant 13)."""
    rendered = warnings = 0
    for fragment in fragments:
        rendered += len(fragment.full) + len(fragment.lines)
        warnings += len(fragment.warnings)
    reasons = []
    if rendered > limits.request_rendered_bytes:
        text = (
            f"The conversations take more than {limits.request_rendered_bytes:,} bytes in the "
            "training file, most of them white space in front of what is nested. Split them over "
            "several requests."
        )
        reasons.append(Reason(code="rendered-too-large", reason=text))
    if warnings > limits.request_warnings:
        text = (
            f"The conversations have more than {limits.request_warnings:,} different warnings, "
            "which nobody can look over. Split them over several requests."
        )
        reasons.append(Reason(code="too-many-warnings", reason=text))
    if reasons:
        raise Blocked(reasons)
