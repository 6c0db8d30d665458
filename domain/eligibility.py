"""The gate: which requests may run. Judges facts that one query gathered, gives every reason."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.errors import Blocked
from domain.findings import Reason, shortened
from domain.jsonl import line_suffix
from domain.limits import MAX_CONVERSATIONS
from domain.naming import is_request_id, is_safe_key, name_problem
from domain.requests import AddRequest
from domain.statistics import Statistics
from domain.version import Member


class TrainingFileFacts(BaseModel):
    """A training file and what its current version says about its stored objects."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    status: str
    created_at: datetime
    consultant_profile: dict[str, Any]
    current_version: int
    json_key: str
    json_digest: str
    json_content_start: int
    json_content_end: int
    jsonl_key: str
    jsonl_digest: str
    jsonl_content_start: int
    jsonl_size_bytes: int
    statistics: Statistics


class ConversationFacts(BaseModel):
    """What the database knows of a conversation that a request names."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    enrichment_status: str | None
    enriched_file_path: str | None
    persona_key: str | None
    emotional_arc_key: str | None
    topic_key: str | None
    batch_id: UUID | None
    member_since: int | None
    suffixes_taken: frozenset[str]
    """Line suffixes of members whose id begins alike."""


class EligibleConversation(BaseModel):
    """A conversation that passed the gate, with what the next steps need."""

    model_config = ConfigDict(frozen=True)

    conversation_id: UUID
    object_key: str
    batch_id: UUID | None
    row_scaffolding: dict[str, str]
    """Scaffolding keys of the database row, where it has them."""
    line_suffix: str


class Admission(BaseModel):
    """A request that may run: its conversations in order, and the file as it stands."""

    model_config = ConfigDict(frozen=True)

    training_file: TrainingFileFacts | None
    conversations: tuple[EligibleConversation, ...]


def refuse_malformed(request: AddRequest) -> None:
    """Raise Blocked where the request as a whole is out of form; no query is needed for that."""
    reasons = list(_about_form(request))
    if reasons:
        raise Blocked([*reasons, *_about_ids(request)])


def admit(
    request: AddRequest,
    training_file: TrainingFileFacts | None,
    facts: Mapping[UUID, ConversationFacts],
) -> Admission:
    """Let the request in, its conversations in its order; or raise Blocked with all reasons."""
    reasons = [*_about_file(request, training_file), *_about_ids(request)]
    named = list(dict.fromkeys(id for id in request.ids if id))
    for conversation_id in named:
        reasons.extend(_about_conversation(conversation_id, facts.get(conversation_id)))
    if reasons:
        raise Blocked(reasons)
    return Admission(
        training_file=training_file,
        conversations=tuple(_labelled([facts[conversation_id] for conversation_id in named])),
    )


def readmit(
    members: Sequence[Member], facts: Mapping[UUID, ConversationFacts]
) -> tuple[EligibleConversation, ...]:
    """The members of a training file, if all may still be in it; raises Blocked otherwise."""
    reasons = [
        reason
        for member in members
        for reason in about_source(member.conversation_id, facts.get(member.conversation_id))
    ]
    if reasons:
        raise Blocked(reasons)
    return tuple(
        _eligible(facts[member.conversation_id], line_suffix=member.line_suffix)
        for member in members
    )


def _about_form(request: AddRequest) -> Iterator[Reason]:
    problem = name_problem(request.name)
    if problem:
        yield Reason(code="bad-name", reason=f"Not a name for a training file: {problem}.")
    if not is_request_id(request.request_id):
        yield Reason(
            code="bad-request-id",
            reason="A request id has 1 to 100 characters out of A-Z, a-z, 0-9, _ and -.",
        )
    if not request.conversation_ids:
        yield Reason(code="nothing-to-add", reason="The request names no conversation.")
    if len(request.conversation_ids) > MAX_CONVERSATIONS:
        yield Reason(
            code="too-many",
            reason=f"{len(request.conversation_ids)} conversations in one request; "
            f"at most {MAX_CONVERSATIONS}. Split them over several requests.",
        )


def _about_ids(request: AddRequest) -> Iterator[Reason]:
    ids = request.ids
    for text, conversation_id in zip(request.conversation_ids, ids, strict=True):
        if conversation_id is None:
            yield Reason(
                conversation_id=shortened(text),
                code="not-an-id",
                reason=f"“{shortened(text)}” is not a UUID.",
            )
    for conversation_id, times in _repeated(ids).items():
        yield Reason(
            conversation_id=str(conversation_id),
            code="repeated-in-request",
            reason=f"Named {times} times in the request; name it once.",
        )


def _repeated(ids: Sequence[UUID | None]) -> dict[UUID, int]:
    return {id: times for id, times in Counter(ids).items() if id and times > 1}


def _about_file(request: AddRequest, training_file: TrainingFileFacts | None) -> Iterator[Reason]:
    if training_file is None and not request.new:
        yield Reason(
            code="no-such-file",
            reason=f"There is no training file “{request.name}”; to create it, ask for a new one.",
        )
    elif training_file is not None and request.new:
        yield Reason(
            code="name-taken",
            reason=f"A training file “{training_file.name}” exists already; "
            "add to it, or choose another name.",
        )
    elif training_file is not None and training_file.status != "active":
        yield Reason(
            code="file-not-active",
            reason=f"The training file “{training_file.name}” is {training_file.status}; "
            "nothing can be added to it.",
        )


def _about_conversation(conversation_id: UUID, facts: ConversationFacts | None) -> Iterator[Reason]:
    yield from about_source(conversation_id, facts)
    if facts is not None and facts.member_since is not None:
        yield Reason(
            conversation_id=str(conversation_id),
            code="already-member",
            reason=f"It is in this training file since version {facts.member_since}.",
        )


def about_source(conversation_id: UUID, facts: ConversationFacts | None) -> Iterator[Reason]:
    """Reasons that hold for any training file: the conversation has no finished file."""
    if facts is None:
        yield Reason(
            conversation_id=str(conversation_id),
            code="unknown-conversation",
            reason="No conversation has this id.",
        )
        return
    yield from source_reasons(
        conversation_id,
        enrichment_status=facts.enrichment_status,
        enriched_file_path=facts.enriched_file_path,
    )


def source_reasons(
    conversation_id: UUID, *, enrichment_status: str | None, enriched_file_path: str | None
) -> list[Reason]:
    """Return why no training file can take a conversation; empty if one can."""
    texts = {}
    if enrichment_status != "completed":
        texts["not-completed"] = f"Its enrichment is “{enrichment_status}”, not “completed”."
    if enriched_file_path is None:
        texts["no-enriched-file"] = "It has no enriched file."
    elif not is_safe_key(enriched_file_path):
        texts["unsafe-path"] = (
            f"Its enriched file's path {enriched_file_path[:200]!r} is not a plain path "
            "inside the bucket (A-Z, a-z, 0-9, _ . - and single slashes)."
        )
    return [
        Reason(conversation_id=str(conversation_id), code=code, reason=text)
        for code, text in texts.items()
    ]


def _labelled(admitted: Sequence[ConversationFacts]) -> Iterator[EligibleConversation]:
    """Each with a line suffix that no other conversation of the training file has."""
    taken = {suffix for facts in admitted for suffix in facts.suffixes_taken}
    for facts in admitted:
        suffix = line_suffix(facts.conversation_id, taken)
        taken.add(suffix)
        yield _eligible(facts, line_suffix=suffix)


def _eligible(facts: ConversationFacts, *, line_suffix: str) -> EligibleConversation:
    row = {
        "persona_archetype": facts.persona_key,
        "emotional_arc_key": facts.emotional_arc_key,
        "training_topic_key": facts.topic_key,
    }
    return EligibleConversation(
        conversation_id=facts.conversation_id,
        object_key=facts.enriched_file_path or "",
        batch_id=facts.batch_id,
        row_scaffolding={key: value for key, value in row.items() if value},
        line_suffix=line_suffix,
    )
