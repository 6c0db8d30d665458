"""Values for tests of the domain: conversations, fragments, a training file in memory."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import settings
from hypothesis import strategies as st

from domain.eligibility import (
    Admission,
    ConversationFacts,
    EligibleConversation,
    TrainingFileFacts,
    admit,
)
from domain.errors import Blocked
from domain.findings import Reason
from domain.folding import Fold, fold
from domain.fragment import Fragment
from domain.limits import Limits
from domain.merge import Document
from domain.requests import AddRequest
from domain.statistics import Statistics
from domain.validation import validate
from domain.version import Contribution, Member, VersionRecord
from tests.building import as_bytes, conversation, retell

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
            strict=strict,
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
        self.folds: list[Fold] = []

    @property
    def version(self) -> VersionRecord:
        return self.versions[-1]

    @property
    def full(self) -> bytes:
        return self.objects[self.version.json_key]

    @property
    def lines(self) -> bytes:
        return self.objects[self.version.jsonl_key]

    @property
    def value(self) -> Any:
        return orjson.loads(self.full)

    @property
    def content(self) -> bytes:
        return self.full[self.version.json_content_start : self.version.json_content_end]

    @property
    def example_lines(self) -> bytes:
        return self.lines[self.version.jsonl_content_start :]

    def facts(self) -> TrainingFileFacts | None:
        """What the gate would read of the current version."""
        if not self.versions:
            return None
        version = self.version.model_dump()
        return TrainingFileFacts.model_validate(
            {
                **version,
                "id": FILE_ID,
                "name": self.name,
                "status": "active",
                "created_at": version["training_file_created_at"],
                "current_version": version["number"],
                "statistics": Statistics.model_validate_json(
                    self.version.statistics.model_dump_json()
                ),
            }
        )

    def admission(self, asked: AddRequest, values: Sequence[dict[str, Any]]) -> Admission:
        suffixes = frozenset(member.line_suffix for member in self.members)
        known = {id_of(value): facts(id_of(value), suffixes_taken=suffixes) for value in values}
        return admit(asked, self.facts(), known)

    def add(self, *values: dict[str, Any], strict: bool = False) -> Fold:
        """Add conversations as one request."""
        asked = request(
            *map(id_of, values), training_file=self.name, new=not self.versions, strict=strict
        )
        admission = self.admission(asked, values)
        fragments = [
            validate(as_bytes(value), conversation, limits=LIMITS)
            for value, conversation in zip(values, admission.conversations, strict=True)
        ]
        folded = fold(
            asked,
            admission,
            fragments,
            new_id=FILE_ID,
            now=NOW + timedelta(hours=len(self.versions)),
        )
        self._record(asked, folded)
        return folded

    def bytes_of(self, document: Document) -> bytes:
        """The document's bytes; spans are resolved from the objects."""
        return b"".join(
            segment
            if isinstance(segment, bytes)
            else self.objects[segment.key][segment.start : segment.end]
            for segment in document.segments
        )

    def _record(self, asked: AddRequest, folded: Fold) -> None:
        keys = [f"v{folded.number}.{format}" for format in ("json", "jsonl")]
        full, lines = self.bytes_of(folded.full), self.bytes_of(folded.lines)
        self.objects |= dict(zip(keys, (full, lines), strict=True))
        self.folds.append(folded)
        self.members.extend(
            Member(
                **{name: getattr(each, name) for name in Contribution.model_fields},
                position=len(self.members) + index + 1,
                added_in=folded.number,
            )
            for index, each in enumerate(folded.contributions)
        )
        self.versions.append(
            VersionRecord(
                training_file_id=folded.training_file_id,
                training_file=folded.name,
                training_file_created_at=folded.created,
                number=folded.number,
                request_id=f"r-{folded.number}",
                request_digest=asked.digest,
                reason="add",
                created_at=folded.updated,
                created_by="mara",
                json_key=keys[0],
                json_size_bytes=len(full),
                json_digest=folded.json_digest,
                json_content_start=folded.full.content_start,
                json_content_end=folded.full.content_end,
                jsonl_key=keys[1],
                jsonl_size_bytes=len(lines),
                jsonl_digest=folded.jsonl_digest,
                jsonl_content_start=folded.lines.content_start,
                conversation_count=folded.statistics.conversations,
                pair_count=folded.statistics.pairs,
                example_count=folded.statistics.examples,
                statistics=folded.statistics,
                warnings=folded.warnings,
                consultant_profile=dict(folded.consultant_profile),
            )
        )


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
