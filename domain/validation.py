"""Bytes of an individual conversation file to a fragment, or the reasons why not.

Structure is closed: a missing key, a wrong type or a number out of range is an error.
Vocabulary is open: an unknown word is a warning (docs/format.md).
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain import jsonl, statistics
from domain.contradictions import contradictions, reserved_keys
from domain.conversation import Conversation
from domain.eligibility import EligibleConversation
from domain.errors import Blocked
from domain.findings import Reason, VersionWarning, gather, shortened
from domain.fragment import Fragment, render_full
from domain.limits import Limits
from domain.parsing import BadJson, parse
from domain.vocabulary import unknown_words

RULES = {
    "missing": "missing-key",
    "extra_forbidden": "unknown-key",
    "literal_error": "wrong-value",
    "string_pattern_mismatch": "wrong-format",
    "string_too_short": "too-short",
    "string_too_long": "too-long",
    "too_short": "too-short",
    "greater_than_equal": "out-of-range",
    "less_than_equal": "out-of-range",
    "finite_number": "out-of-range",
    "value_error": "wrong-format",
}
"""Our code for each kind of pydantic error; a `…_type` is `wrong-type`."""


def validate(
    data: bytes, eligible: EligibleConversation, *, limits: Limits, strict: bool = False
) -> Fragment:
    """Check one conversation's file and render its fragment; raises Blocked with every reason."""
    conversation_id = eligible.conversation_id
    raw, conversation = read(data, conversation_id, limits=limits)
    warnings = gather(_warnings(conversation, eligible))
    if strict and warnings:
        raise Blocked(_capped([warning.as_reason() for warning in warnings], limits))
    pairs = raw["training_pairs"]
    numbers = statistics.of_pairs(conversation.training_pairs)
    return Fragment(
        conversation_id=conversation_id,
        full=render_full(
            conversation_id,
            conversation,
            pairs,
            batch_id=eligible.batch_id,
            quality_tier=next(iter(numbers.tiers)),
        ),
        lines=jsonl.example_lines(conversation_id, pairs, suffix=eligible.line_suffix),
        line_suffix=eligible.line_suffix,
        statistics=numbers,
        consultant_profile=raw["consultant_profile"],
        warnings=warnings,
    )


def read(
    data: bytes, conversation_id: UUID | None, *, limits: Limits
) -> tuple[dict[str, Any], Conversation]:
    """The file's parsed values and their checked model; raises Blocked with every reason.

    With a conversation id, the file must be that conversation's.
    """
    subject = str(conversation_id) if conversation_id else None
    raw = _parsed(data, subject, limits)
    conversation = _checked(raw, subject, limits)
    reasons = [*contradictions(conversation, conversation_id), *reserved_keys(raw)]
    if reasons:
        raise Blocked(
            _capped([r.model_copy(update={"conversation_id": subject}) for r in reasons], limits)
        )
    return raw, conversation


def _parsed(data: bytes, subject: str | None, limits: Limits) -> Any:
    if len(data) > limits.file_bytes:
        text = f"The file has {len(data):,} bytes; at most {limits.file_bytes:,}."
        raise Blocked([Reason(conversation_id=subject, code="file-too-large", reason=text)])
    try:
        return parse(data, limits)
    except BadJson as bad:
        text = f"The enriched file cannot be read: {bad.text}."
        raise Blocked([Reason(conversation_id=subject, code=bad.code, reason=text)]) from None


def _checked(raw: Any, subject: str | None, limits: Limits) -> Conversation:
    excess = list(_excess(raw, subject, limits))
    if excess:
        raise Blocked(excess)
    try:
        return Conversation.model_validate(raw)
    except ValidationError as error:
        reasons = [
            Reason(
                conversation_id=subject,
                code=_rule(detail["type"]),
                reason=_explained(detail),
                path=path_text(detail["loc"]),
            )
            for detail in error.errors(include_url=False, include_context=False)
        ]
    raise Blocked(_capped(_alike_folded(reasons), limits))


def _alike_folded(reasons: list[Reason]) -> list[Reason]:
    """One reason for what is wrong in the same way in many pairs, at its first place."""
    alike: dict[tuple[str, str, str], list[Reason]] = {}
    for reason in reasons:
        place = re.sub(r"\[\d+\]", "[]", reason.path or "")
        alike.setdefault((reason.code, reason.reason, place), []).append(reason)
    return [
        first.model_copy(update={"reason": f"{first.reason} ({1 + len(more)} places)"})
        if more
        else first
        for first, *more in alike.values()
    ]


def _excess(raw: Any, subject: str | None, limits: Limits) -> Iterator[Reason]:
    """What must not reach the model, whose list of errors grows with the file (invariant 13)."""
    if not isinstance(raw, dict):
        return
    if len(raw) > len(Conversation.model_fields) + limits.reasons_per_conversation:
        yield Reason(
            conversation_id=subject,
            code="unknown-key",
            reason=f"{len(raw)} keys, where only these belong: "
            f"{', '.join(Conversation.model_fields)}.",
            path=path_text(()),
        )
    pairs = raw.get("training_pairs")
    if isinstance(pairs, list) and len(pairs) > limits.training_pairs:
        yield Reason(
            conversation_id=subject,
            code="too-many-pairs",
            reason=f"{len(pairs)} training pairs; at most {limits.training_pairs}.",
            path="training_pairs",
        )


def _rule(kind: str) -> str:
    return RULES.get(kind, "wrong-type" if kind.endswith("_type") else "invalid")


def _explained(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return f"The key “{detail['loc'][-1]}” is missing."
    if detail["type"] == "extra_forbidden":
        return f"The key “{shortened(str(detail['loc'][-1]))}” does not belong here."
    return f"{detail['msg']}; found {shortened(repr(detail['input']))}."


def path_text(location: tuple[int | str, ...]) -> str:
    """A place inside a file, as in `training_pairs[3].target_response`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in location)
    return "".join(steps).removeprefix(".") or "(the whole file)"


def _capped(reasons: list[Reason], limits: Limits) -> list[Reason]:
    most = limits.reasons_per_conversation
    if len(reasons) <= most:
        return reasons
    rest = Reason(
        conversation_id=reasons[0].conversation_id,
        code="more",
        reason=f"and {len(reasons) - most} more reasons in this file.",
    )
    return [*reasons[:most], rest]


def _warnings(
    conversation: Conversation, eligible: EligibleConversation
) -> Iterator[VersionWarning]:
    subject = str(eligible.conversation_id)
    yield from unknown_words(subject, conversation)
    yield from _scaffolding_warnings(subject, conversation, eligible.row_scaffolding)
    if not any(pair.target_response for pair in conversation.training_pairs):
        yield VersionWarning(
            conversation_id=subject,
            code="no-examples",
            message="no pair has a target, so the JSONL gets no line of this conversation",
            path="training_pairs",
        )
    for index, pair in enumerate(conversation.training_pairs):
        for code, message in _text_warnings(pair.target_response):
            path = f"training_pairs[{index}].target_response"
            yield VersionWarning(conversation_id=subject, code=code, message=message, path=path)


def _text_warnings(target: str | None) -> Iterator[tuple[str, str]]:
    if target is None:
        return
    if not target:
        yield "empty-target", "the target is empty, so the pair is no example"
    if target.endswith("\\"):
        yield "cut-off", "the target ends in a backslash; it seems to be cut off"
    if "\\n" in target:
        yield "double-escaped", "the target holds a literal \\n; it seems to be escaped twice"


def _scaffolding_warnings(
    subject: str, conversation: Conversation, row: dict[str, str]
) -> Iterator[VersionWarning]:
    first = conversation.training_pairs[0].conversation_metadata
    for key in ("persona_archetype", "emotional_arc_key", "training_topic_key"):
        expected = getattr(first, key)
        if row.get(key, expected) != expected:
            yield VersionWarning(
                conversation_id=subject,
                code="scaffolding-differs",
                message=f"{key} is “{expected}” in the file, but “{row[key]}” in the database; "
                "the file counts",
                path=f"training_pairs[0].conversation_metadata.{key}",
            )
        for index, pair in enumerate(conversation.training_pairs):
            word = getattr(pair.conversation_metadata, key)
            if word != expected:
                yield VersionWarning(
                    conversation_id=subject,
                    code="scaffolding-varies",
                    message=f"{key} is “{word}”, but “{expected}” in the first pair",
                    path=f"training_pairs[{index}].conversation_metadata.{key}",
                )
