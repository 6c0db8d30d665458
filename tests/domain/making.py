"""Values for tests of the domain: conversations, fragments, a training file in memory."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import settings
from hypothesis import strategies as st

from domain.errors import Blocked
from domain.findings import Reason
from domain.format.fragment import Fragment
from domain.format.spans import Document
from domain.source.limits import Limits
from domain.versions.changes import compose_add
from domain.versions.composing import Composition
from domain.versions.eligibility import (
    Admission,
    ConversationFacts,
    EligibleConversation,
    TrainingFileFacts,
    admit,
)
from domain.versions.record import Member, VersionRecord
from domain.versions.requests import AddRequest
from domain.versions.validation import validate
from soak.building import as_bytes, conversation, retell

A = UUID("aaaaaaaa-0000-4000-8000-000000000001")
B = UUID("bbbbbbbb-0000-4000-8000-000000000002")
C = UUID("cccccccc-0000-4000-8000-000000000003")
FILE_ID = UUID("ffffffff-0000-4000-8000-00000000000f")
NOW = datetime(2026, 5, 4, 12, 30, 0, 123456, tzinfo=UTC)
LIMITS = Limits()

steady = settings(deadline=None, derandomize=True, database=None)

Path = tuple[str | int, ...]

integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def eligible(conversation_id: UUID = A, **changes: Any) -> EligibleConversation:
    values = {
        "conversation_id": conversation_id,
        "object_key": f"files/{conversation_id}.json",
        "batch_id": None,
        "row_scaffolding": {},
        "line_suffix": str(conversation_id)[:8],
    }
    return EligibleConversation(**{**values, **changes})


def fragment_of(value: Any, conversation_id: UUID = A, **changes: Any) -> Fragment:
    return validate(as_bytes(value), eligible(conversation_id, **changes), limits=LIMITS)


def refusal(data: Any, *, limits: Limits = LIMITS, strict: bool = False) -> list[Reason]:
    """The reasons why conversation A's file is refused; none when it is accepted."""
    try:
        validate(
            data if isinstance(data, bytes) else as_bytes(data),
            eligible(),
            limits=limits,
            strictness="warnings" if strict else "nothing",
        )
    except Blocked as blocked:
        return list(blocked.reasons)
    return []


def codes(data: Any, **options: Any) -> list[tuple[str, str | None]]:
    return [(reason.code, reason.path) for reason in refusal(data, **options)]


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place in a JSON value, with what stands there."""
    yield path, value
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    for step, below in steps:
        yield from walk(below, (*path, step))


def text_of(path: Path) -> str:
    """A path as people write it: training_pairs[0].id."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def replaced(value: Any, path: Path, new: Any) -> Any:
    """A copy of the value with something else at the path."""
    if not path:
        return new
    copy = deepcopy(value)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return copy


def without(value: Any, path: Path) -> Any:
    copy = deepcopy(value)
    place = copy
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return copy


def exactly(value: Any) -> Any:
    """A form that compares JSON values by type too: 3 is not 3.0, True is not 1, order of keys."""
    if isinstance(value, dict):
        return "object", [(key, exactly(item)) for key, item in value.items()]
    if isinstance(value, list):
        return "array", [exactly(item) for item in value]
    return type(value).__name__, repr(value)


def unordered(value: Any) -> Any:
    """The same, where the order of keys does not count."""
    if isinstance(value, dict):
        return "object", {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return "array", [unordered(item) for item in value]
    return type(value).__name__, repr(value)


def request(*ids: Any, **changes: Any) -> AddRequest:
    values = {
        "training_file": "Spring batch",
        "conversation_ids": tuple(str(id) for id in ids),
        "requested_by": "mara",
        "request_id": "r-1",
    }
    return AddRequest(**{**values, **changes})


def facts(conversation_id: UUID = A, **changes: Any) -> ConversationFacts:
    values = {
        "conversation_id": conversation_id,
        "enrichment_status": "completed",
        "enriched_file_path": f"files/{conversation_id}.json",
        "persona_key": None,
        "emotional_arc_key": None,
        "topic_key": None,
        "batch_id": None,
        "member_since": None,
        "suffixes_taken": frozenset(),
    }
    return ConversationFacts(**{**values, **changes})


def id_of(value: dict[str, Any]) -> UUID:
    return UUID(value["dataset_metadata"]["dataset_name"].removeprefix("fp_conversation_"))


class TrainingFile:
    """A training file in memory, kept by the domain's rules: objects, versions, members."""

    def __init__(self, name: str = "Spring batch") -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.versions: list[VersionRecord] = []
        self.members: list[Member] = []
        self.compositions: list[Composition] = []

    @property
    def version(self) -> VersionRecord:
        return self.versions[-1]

    @property
    def full(self) -> bytes:
        return self.objects[self.version.full.key]

    @property
    def lines(self) -> bytes:
        return self.objects[self.version.lines.key]

    @property
    def value(self) -> Any:
        return orjson.loads(self.full)

    @property
    def content(self) -> bytes:
        return self.full[self.version.full.content_start : self.version.full.content_end]

    @property
    def example_lines(self) -> bytes:
        return self.lines[self.version.lines.content_start :]

    def facts(self) -> TrainingFileFacts | None:
        """What the gate would read of the current version."""
        if not self.versions:
            return None
        return TrainingFileFacts(
            status="active", current=self.version, last_position=self.members[-1].position
        )

    def admission(self, asked: AddRequest, values: Sequence[dict[str, Any]]) -> Admission:
        suffixes = frozenset(member.line_suffix for member in self.members)
        known = {id_of(value): facts(id_of(value), suffixes_taken=suffixes) for value in values}
        return admit(asked, self.facts(), known)

    def add(self, *values: dict[str, Any], strict: bool = False) -> Composition:
        """Add conversations as one request."""
        asked = request(
            *map(id_of, values), training_file=self.name, new=not self.versions, strict=strict
        )
        admission = self.admission(asked, values)
        fragments = [
            validate(as_bytes(value), conversation, limits=LIMITS)
            for value, conversation in zip(values, admission.conversations, strict=True)
        ]
        composition = compose_add(
            asked,
            admission,
            fragments,
            new_id=FILE_ID,
            now=NOW + timedelta(hours=len(self.versions)),
            attempt="0",
        )
        self._record(composition)
        return composition

    def bytes_of(self, document: Document) -> bytes:
        """The document's bytes; spans are resolved from the objects."""
        return b"".join(
            segment
            if isinstance(segment, bytes)
            else self.objects[segment.key][segment.start : segment.end]
            for segment in document.segments
        )

    def _record(self, composition: Composition) -> None:
        version = composition.version
        self.objects |= {
            version.full.key: self.bytes_of(composition.full),
            version.lines.key: self.bytes_of(composition.lines),
        }
        self.compositions.append(composition)
        self.members.extend(composition.begun)
        self.versions.append(version)


# Two share 8 digits, two share 13, so suffixes grow.
POOL = [
    A,
    UUID("aaaaaaaa-1111-4000-8000-000000000001"),
    UUID("aaaaaaaa-1111-4000-8000-000000000002"),
    B,
    C,
    UUID("cccccccc-0000-4000-8000-000000000004"),
]

scores = (
    st.integers(1, 5) | st.floats(1, 5, allow_nan=False) | st.decimals(1, 5, places=1).map(float)
)
answers = (
    st.none()
    | st.just("")
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
        lambda text: text.strip()
    )
)


@st.composite
def conversations(draw: st.DrawFn, conversation_id: UUID) -> dict[str, Any]:
    """A valid conversation: any answers, scores and unknown keys."""
    value = conversation(conversation_id, turns=draw(st.integers(1, 3)))
    words = st.sampled_from(["anxious_planner", "zen_gardener", "größe ✓"])
    for pair in value["training_pairs"]:
        pair["target_response"] = draw(answers)
        pair["training_metadata"]["quality_score"] = draw(scores)
        pair["training_metadata"]["human_reviewed"] = draw(st.booleans())
        pair["conversation_metadata"]["persona_archetype"] = draw(words)
        pair["x_note"] = draw(json_values)
    retell(value["training_pairs"])
    return value


@st.composite
def several(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few different conversations in any order."""
    ids = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=5, unique=True))
    return [draw(conversations(id)) for id in ids]
