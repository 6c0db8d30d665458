"""Check the file of an eligible conversation and render it to a fragment."""

from domain.errors import Blocked
from domain.findings import gather
from domain.format import jsonl
from domain.format.fragment import Fragment
from domain.format.full_json import render_conversation
from domain.source.checking import capped, read
from domain.source.limits import Limits
from domain.source.warnings import warnings_of
from domain.statistics import of_pairs
from domain.versions.eligibility import EligibleConversation


def validate(
    data: bytes, eligible: EligibleConversation, *, limits: Limits, strict: bool = False
) -> Fragment:
    """Check one conversation's file and render its fragment; raises Blocked with every reason.

    The same bytes, id, batch and line suffix give the same fragment (invariant 7).
    """
    conversation_id = eligible.conversation_id
    raw, conversation = read(data, conversation_id, limits=limits)
    warnings = gather(warnings_of(conversation_id, conversation, eligible.row_scaffolding))
    if strict and warnings:
        raise Blocked(capped([warning.as_reason() for warning in warnings], limits))
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
