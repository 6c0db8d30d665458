"""Check that a file is a sound conversation, or give every reason why it is not.

Structure is closed: a missing key, a wrong type or a number out of range is an error.
Source: individual-conversation-v4 JSON Schema.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.errors import Blocked
from domain.findings import Reason, shortened
from domain.source.contradictions import contradictions, reserved_keys
from domain.source.conversation import Conversation
from domain.source.limits import Limits
from domain.source.parsing import BadJson, parse

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


def read(
    data: bytes, conversation_id: UUID | None, *, limits: Limits
) -> tuple[dict[str, Any], Conversation]:
    """Return the file's parsed values and their checked model; raises Blocked with every reason.

    With a conversation id, the file must be that conversation's.
    """
    subject = str(conversation_id) if conversation_id else None
    raw = _parsed(data, subject, limits)
    conversation = _checked(raw, subject, limits)
    reasons = [*contradictions(conversation, conversation_id), *reserved_keys(raw)]
    if reasons:
        raise Blocked(
            capped([r.model_copy(update={"conversation_id": subject}) for r in reasons], limits)
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
                reason=_explain(detail),
                path=path_text(detail["loc"]),
            )
            for detail in error.errors(include_url=False, include_context=False)
        ]
    raise Blocked(capped(_fold_alike(reasons), limits))


def _fold_alike(reasons: list[Reason]) -> list[Reason]:
    """Fold what is wrong in the same way in many pairs into one reason, at its first place."""
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
    """Refuse what would make the model's list of errors grow with the file (invariant 13)."""
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


def _explain(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return f"The key “{detail['loc'][-1]}” is missing."
    if detail["type"] == "extra_forbidden":
        return f"The key “{shortened(str(detail['loc'][-1]))}” does not belong here."
    return f"{detail['msg']}; found {shortened(repr(detail['input']))}."


def path_text(location: tuple[int | str, ...]) -> str:
    """Write a place inside a file, as in `training_pairs[3].target_response`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in location)
    return "".join(steps).removeprefix(".") or "(the whole file)"


def capped(reasons: list[Reason], limits: Limits) -> list[Reason]:
    """Cut the reasons off at the limit, and say how many more there are."""
    shown = limits.reasons_per_conversation
    if len(reasons) <= shown:
        return reasons
    rest = Reason(
        conversation_id=reasons[0].conversation_id,
        code="more",
        reason=f"and {len(reasons) - shown} more reasons in this file.",
    )
    return [*reasons[:shown], rest]
