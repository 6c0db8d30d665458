"""What is allowed in a conversation file and still deserves a curator's look.

Vocabulary is open: an unknown word is a warning (docs/format.md).
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

from domain.findings import VersionWarning
from domain.source.conversation import Conversation
from domain.source.damage import damages
from domain.source.vocabulary import unknown_words


def warnings_of(
    conversation_id: UUID, conversation: Conversation, row_scaffolding: Mapping[str, str]
) -> Iterator[VersionWarning]:
    """Yield a warning for each place that a curator should check.

    `row_scaffolding` is what the database's row says, which may differ from the file.
    """
    subject = str(conversation_id)
    yield from unknown_words(subject, conversation)
    yield from _scaffolding_warnings(subject, conversation, row_scaffolding)
    if not any(pair.target_response for pair in conversation.training_pairs):
        yield VersionWarning(
            conversation_id=subject,
            code="no-examples",
            message="no pair has a target, so the JSONL gets no line of this conversation",
            path="training_pairs",
        )
    for code, message, path in _text_warnings(conversation):
        yield VersionWarning(conversation_id=subject, code=code, message=message, path=path)


def _text_warnings(conversation: Conversation) -> Iterator[tuple[str, str, str]]:
    for index, pair in enumerate(conversation.training_pairs):
        if pair.target_response == "":
            path = f"training_pairs[{index}].target_response"
            yield "empty-target", "the target is empty, so the pair is no example", path
    found = damages(conversation.training_pairs)
    for text in found.texts:
        who = "target" if text.part == "target_response" else "client's turn"
        yield text.code, f"the {who} {text.what}", f"training_pairs[{text.pair}].{text.part}"
    for index in found.after_damage:
        path = f"training_pairs[{index}].target_response"
        yield "damaged-context", "the target is sound, but follows a damaged turn", path


def _scaffolding_warnings(
    subject: str, conversation: Conversation, row: Mapping[str, str]
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
