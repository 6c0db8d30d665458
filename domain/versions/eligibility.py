"""The gate: judge from the facts of one query whether a request may run; give every reason."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from domain.errors import Blocked
from domain.findings import Reason, shortened
from domain.format.jsonl import line_suffix
from domain.frozen import FrozenModel
from domain.source.vocabulary import EnrichmentStatus
from domain.versions.naming import is_request_id, is_safe_key, name_problem, text_problem
from domain.versions.record import BaseVersion, Member, VersionRecord
from domain.versions.requests import (
    MAX_ASKER_LENGTH,
    MAX_COMMENT_LENGTH,
    MAX_CONVERSATIONS,
    MAX_DESCRIPTION_LENGTH,
    AddRequest,
    Asked,
    ConversationsRequest,
    FileCommand,
    RebuildRequest,
    VersionRequest,
)
from domain.versions.strictness import Strictness, strictness_of


class TrainingFileFacts(FrozenModel):
    """The current state of a training file."""

    status: str
    current: BaseVersion
    last_position: int
    """The highest among the members; the next ones follow it."""
    refuses_damage: bool = False


class ConversationFacts(FrozenModel):
    """The database's facts about a conversation that a request names."""

    conversation_id: UUID
    enrichment_status: str | None
    enriched_file_path: str | None
    persona_key: str | None
    emotional_arc_key: str | None
    topic_key: str | None
    batch_id: UUID | None
    member_since: int | None
    suffixes_taken: frozenset[str]
    """Line suffixes of members whose id has the same beginning."""


class EligibleConversation(FrozenModel):
    """A conversation that passed the gate, with what the next steps need."""

    conversation_id: UUID
    object_key: str
    batch_id: UUID | None
    row_scaffolding: dict[str, str]
    """Scaffolding keys of the database row, where it has them."""
    line_suffix: str


class Admission(FrozenModel):
    """A request that may run: its conversations in order, and the current training file."""

    training_file: TrainingFileFacts | None
    conversations: tuple[EligibleConversation, ...]

    @property
    def training_file_id(self) -> UUID | None:
        """Return the id of the file that the request extends; None if it creates one."""
        return self.training_file.current.training_file_id if self.training_file else None

    @property
    def refuses_damage(self) -> bool:
        """Tell whether the training file refuses damaged text; a new one does not."""
        return self.training_file is not None and self.training_file.refuses_damage

    def strictness(self, request: VersionRequest) -> Strictness:
        """Return which warnings are errors for this request to this file."""
        return strictness_of(strict=request.strict, refuses_damage=self.refuses_damage)


def refuse_malformed(request: AddRequest, *, max_conversations: int = MAX_CONVERSATIONS) -> None:
    """Raise Blocked if the request as a whole is malformed, which needs no query."""
    reasons = [
        *_name_reasons(request),
        *asker_reasons(request),
        *_form_reasons(request, max_conversations),
    ]
    if reasons:
        raise Blocked([*reasons, *id_reasons(request)])


def refuse_malformed_rebuild(request: RebuildRequest) -> None:
    """Raise Blocked where the rebuild is malformed; its name is looked up as it is."""
    reasons = list(asker_reasons(request))
    if reasons:
        raise Blocked(reasons)


def refuse_malformed_command(command: FileCommand) -> None:
    """Raise Blocked where the command is malformed; its name is looked up as it is."""
    reasons = list(asker_reasons(command))
    problem = text_problem(command.comment, max_length=MAX_COMMENT_LENGTH, line_breaks=True)
    if problem:
        reasons.append(Reason(code="bad-comment", reason=f"Not a comment: {problem}."))
    if reasons:
        raise Blocked(reasons)


def admit(
    request: AddRequest,
    training_file: TrainingFileFacts | None,
    facts: Mapping[UUID, ConversationFacts],
) -> Admission:
    """Admit the request, with its conversations in order; raise Blocked with all reasons."""
    reasons = [*_file_reasons(request, training_file), *id_reasons(request)]
    named = list(dict.fromkeys(request.ids))
    for conversation_id in named:
        reasons.extend(_conversation_reasons(conversation_id, facts.get(conversation_id)))
    if reasons:
        raise Blocked(reasons)
    return Admission(
        training_file=training_file,
        conversations=tuple(_labelled([facts[conversation_id] for conversation_id in named])),
    )


def readmit(
    training_file: TrainingFileFacts,
    members: Sequence[Member],
    facts: Mapping[UUID, ConversationFacts],
) -> tuple[EligibleConversation, ...]:
    """Return the members' sources, if all may still be in the training file.

    Raises Blocked otherwise, and where the file is not active.
    """
    name, status = training_file.current.training_file, training_file.status
    reasons = list(status_reasons(name, status, "it cannot be rebuilt"))
    for member in members:
        reasons.extend(_facts_reasons(member.conversation_id, facts.get(member.conversation_id)))
    if reasons:
        raise Blocked(reasons)
    return tuple(
        _eligible(facts[member.conversation_id], line_suffix=member.line_suffix)
        for member in members
    )


def eligible_source(conversation_id: UUID, facts: ConversationFacts | None) -> EligibleConversation:
    """Return a conversation's source for reading; raise Blocked if it has no finished file."""
    reasons = _facts_reasons(conversation_id, facts)
    if facts is None or reasons:
        raise Blocked(reasons)
    return _eligible(facts, line_suffix="")


def require_same(request: VersionRequest, made: VersionRecord) -> None:
    """Raise Blocked if another request made the version under this request's id."""
    if made.request_digest != request.digest:
        reason = (
            f"The request id {request.request_id} was used for a different request, which made "
            f"version {made.number} of “{made.training_file}”. Use a new request id."
        )
        raise Blocked([Reason(code="request-id-reused", reason=reason)])


def source_reasons(
    conversation_id: UUID, *, enrichment_status: str | None, enriched_file_path: str | None
) -> list[Reason]:
    """Give the reasons that hold for any training file: the conversation has no finished file."""
    reasons = []
    if enrichment_status != EnrichmentStatus.COMPLETED:
        text = f"Its enrichment is “{enrichment_status}”, not “{EnrichmentStatus.COMPLETED}”."
        reasons.append(_reason(conversation_id, "not-completed", text))
    if enriched_file_path is None:
        reasons.append(_reason(conversation_id, "no-enriched-file", "It has no enriched file."))
    elif not is_safe_key(enriched_file_path):
        text = (
            f"Its enriched file's path {enriched_file_path[:200]!r} is not a plain path "
            "inside the bucket (A-Z, a-z, 0-9, _ . - and single slashes)."
        )
        reasons.append(_reason(conversation_id, "unsafe-path", text))
    return reasons


def _name_reasons(request: VersionRequest) -> Iterator[Reason]:
    problem = name_problem(request.name)
    if problem:
        yield Reason(code="bad-name", reason=f"Not a name for a training file: {problem}.")


def asker_reasons(request: Asked) -> Iterator[Reason]:
    problem = text_problem(request.requested_by, max_length=MAX_ASKER_LENGTH)
    if problem:
        yield Reason(code="bad-asker", reason=f"Not a name of who asks: {problem}.")
    if not is_request_id(request.request_id):
        yield Reason(
            code="bad-request-id",
            reason="A request id has 1 to 100 characters out of A-Z, a-z, 0-9, _ and -.",
        )


def _form_reasons(request: AddRequest, max_conversations: int) -> Iterator[Reason]:
    problem = text_problem(request.description, max_length=MAX_DESCRIPTION_LENGTH, line_breaks=True)
    if problem:
        yield Reason(code="bad-description", reason=f"The description cannot be kept: {problem}.")
    if not request.conversation_ids:
        yield Reason(code="nothing-to-add", reason="The request names no conversation.")
    yield from count_reasons(request, max_conversations)


def count_reasons(request: ConversationsRequest, max_conversations: int) -> Iterator[Reason]:
    count = len(request.conversation_ids)
    if count > max_conversations:
        yield Reason(
            code="too-many",
            reason=f"{count} conversations in one request; at most {max_conversations}. "
            "Split them over several requests.",
        )


def id_reasons(request: ConversationsRequest) -> Iterator[Reason]:
    for malformed in request.conversation_ids:
        if isinstance(malformed, str):
            shown = shortened(malformed)
            text = f"“{shown}” is not a UUID."
            yield Reason(conversation_id=shown, code="not-an-id", reason=text)
    for conversation_id, times in Counter(request.ids).items():
        if times > 1:
            text = f"Named {times} times in the request; name it once."
            yield _reason(conversation_id, "repeated-in-request", text)


def _file_reasons(request: AddRequest, training_file: TrainingFileFacts | None) -> Iterator[Reason]:
    if training_file is None:
        if not request.new:
            yield Reason(
                code="no-such-file",
                reason=f"There is no training file “{request.name}”; "
                "to create it, ask for a new one.",
            )
    elif request.new:
        yield Reason(
            code="name-taken",
            reason=f"A training file “{training_file.current.training_file}” exists already; "
            "add to it, or choose another name.",
        )
    else:
        name, status = training_file.current.training_file, training_file.status
        yield from status_reasons(name, status, "nothing can be added to it")


def status_reasons(name: str, status: str, consequence: str) -> Iterator[Reason]:
    if status != "active":
        yield Reason(
            code="file-not-active",
            reason=f"The training file “{name}” is {status}; {consequence}.",
        )


def _conversation_reasons(
    conversation_id: UUID, facts: ConversationFacts | None
) -> Iterator[Reason]:
    yield from _facts_reasons(conversation_id, facts)
    if facts is not None and facts.member_since is not None:
        text = f"It is in this training file since version {facts.member_since}."
        yield _reason(conversation_id, "already-member", text)


def _facts_reasons(conversation_id: UUID, facts: ConversationFacts | None) -> list[Reason]:
    if facts is None:
        return [_reason(conversation_id, "unknown-conversation", "No conversation has this id.")]
    return source_reasons(
        conversation_id,
        enrichment_status=facts.enrichment_status,
        enriched_file_path=facts.enriched_file_path,
    )


def _reason(conversation_id: UUID, code: str, text: str) -> Reason:
    return Reason(conversation_id=str(conversation_id), code=code, reason=text)


def _labelled(admitted: Sequence[ConversationFacts]) -> Iterator[EligibleConversation]:
    """Give each a line suffix that no other conversation of the training file has."""
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
