"""The shapes of the API's answers, for its OpenAPI description.

The documents themselves are those of `--json` (`domain.documents`, `operations.documents`). An
answer that has another shape is a defect, so that the description stays true.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from db.batches import Batch
from db.training_files import TrainingFileChoice
from domain.exports import ExportFormat, Split
from domain.findings import Reason, VersionWarning
from domain.frozen import FrozenModel

# Documents hold text already. Reading it as moments and numbers would write it differently.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Number = int | float


class Document(FrozenModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class QualitySummary(Document):
    """Scores run over training pairs."""

    avg_quality_score: Number
    min_quality_score: Number
    max_quality_score: Number
    human_reviewed_count: int
    human_reviewed_percentage: Number


class ScaffoldingDistribution(Document):
    """How many conversations have each key."""

    personas: dict[str, int]
    emotional_arcs: dict[str, int]
    training_topics: dict[str, int]


class Statistics(Document):
    quality_summary: QualitySummary
    scaffolding_distribution: ScaffoldingDistribution
    quality_tiers: dict[str, int]


class StoredFile(Document):
    key: str
    size_bytes: int
    digest: str


class VersionTag(Document):
    name: str
    is_protected: bool
    """Whether the tag can be neither moved nor removed."""


class Version(Document):
    """One immutable state of a training file, with its tags of now."""

    training_file: str
    training_file_id: UUID
    version: int
    file_name: str
    """The training file's name when the version was made, as its files have it."""
    released_at: Moment | None
    """Since when its files may be gone; null while they are stored."""
    reason: Literal["create", "add", "remove", "rebuild", "rollback"]
    request_id: str
    created_at: Moment
    created_by: str
    conversations: int
    training_pairs: int
    examples: int
    statistics: Statistics
    full: StoredFile = Field(alias="json")
    lines: StoredFile = Field(alias="jsonl")
    warnings: tuple[VersionWarning, ...]
    comment: str
    """Why it was made, in the words of who asked; empty where nothing was said."""
    restores: int | None
    """The version whose conversations a rollback brought back."""
    tags: tuple[VersionTag, ...]


class Versions(Document):
    """Versions of a training file, newest first."""

    items: tuple[Version, ...]
    next: str | None
    """Where the older ones are; null on the last page."""


class TrainingFiles(Document):
    """Training files to choose from, by name."""

    items: tuple[TrainingFileChoice, ...]


class TrainingFile(Document):
    """A training file with the numbers of its current version."""

    id: UUID
    name: str
    status: Literal["active", "archived"]
    updated_at: Moment
    conversation_count: int
    pair_count: int
    description: str
    refuses_damage: bool
    """Of conversations that are added: an error where it is a warning otherwise."""
    current_version: int
    created_at: Moment
    created_by: str
    example_count: int
    json_size_bytes: int
    jsonl_size_bytes: int
    stored_size_bytes: int
    """Of all versions that are stored, JSON and JSONL together."""
    statistics: Statistics
    conversation_ids: tuple[UUID, ...]
    """In the order in which they were added."""


class Export(Document):
    """A file that was made from a version for trainers. It never changes."""

    version: int
    format: ExportFormat
    split: Split | None
    """A side of a validation split; `both` is Parquet with a column of sides. Null without one."""
    file_name: str
    key: str
    size_bytes: int
    sha256: str
    rows: int
    targets: int
    conversations: int
    options_digest: str
    """Of what was asked for beside the format: the sides of a split."""
    created_at: Moment
    created_by: str


class Exports(Document):
    """The stored exports of a version."""

    training_file: str
    version: int
    exports: tuple[Export, ...]


class Entry(Document):
    """What was done to a training file, or refused."""

    id: int
    at: Moment
    training_file_id: UUID | None
    """Null where a request was refused for a training file that did not exist."""
    training_file: str
    """Its name before the change."""
    action: str
    """`create`, `add`, `rename`, `archive`, …"""
    outcome: Literal["done", "refused"]
    by: str
    comment: str
    version: int | None
    request_id: str | None
    run_id: str | None
    detail: dict[str, Any]
    """Of a refusal: `count`, and the first `reasons`."""


class Log(Document):
    """What happened to a training file, newest first."""

    items: tuple[Entry, ...]
    next: str | None
    """Where the older entries are; null on the last page."""


class FileStatus(Document):
    training_file: str
    status: Literal["active", "archived"]


class RefusedDamage(Document):
    training_file: str
    refuses_damage: bool


class Renamed(Document):
    training_file: str
    """Its new name."""
    renamed_from: str


class DownloadLink(Document):
    """A link that anyone can open until it expires."""

    url: str
    expires_in_seconds: int


class Admitted(Document):
    """Nothing blocks."""

    training_file: str
    new: bool
    eligible: tuple[UUID, ...]
    blocked: tuple[Reason, ...] = Field(max_length=0)


class Refused(Document):
    """Why the conversations cannot be added."""

    blocked: tuple[Reason, ...] = Field(min_length=1)


class Progress(Document):
    """Conversations: in the request, read from the store, checked."""

    total: int
    fetched: int
    validated: int


class Failure(Document):
    type: str | None
    """The name of an error of trainfold, where the run ended with one."""
    message: str


class RequestStatus(Document):
    """How far a request is. `done`, `blocked` and `failed` are final until it is sent again."""

    request_id: str
    state: Literal["accepted", "running", "done", "blocked", "failed"]
    training_file: str
    progress: Progress | None
    """Null once the version is made."""
    version: Version | None
    """The version that the request made, in the state `done`."""
    blocked: tuple[Reason, ...]
    """Every reason, in the state `blocked`; nothing was written."""
    error: Failure | None
    """What went wrong, in the state `failed`; nothing was written."""
    run_id: UUID | None
    """The flow run in Prefect, for operators; null once the version is made."""


class Proposal(Document):
    """What a plan would add."""

    plan: str | None
    """The plan's id, once it is stored."""
    training_file: str
    new: bool
    where: tuple[str, ...]
    """The conditions, in one fixed form."""
    one_version: bool
    matched: int
    in_file: int
    """Conversations that match, and that the training file holds already."""
    to_add: int
    parts: int
    """Requests, of which each makes one version."""


class PlanVersion(Document):
    part: int
    version: int


class PlanStatus(Proposal):
    """How far a plan is. `done`, `blocked` and `failed` are final until it is sent again.

    `stored`: no run in Prefect has it. A command line carries it out, or it has to be sent again.
    """

    created_at: Moment
    added: int
    done: bool
    versions: tuple[PlanVersion, ...]
    """The versions that were made so far; they stay, whatever becomes of the plan."""
    state: Literal["stored", "accepted", "running", "done", "blocked", "failed"]
    blocked: tuple[Reason, ...]
    """Every reason, in the state `blocked`; nothing was written of the part that it stopped at."""
    error: str | None
    """What went wrong, in the state `failed`."""


class Batches(Document):
    """Batches by name."""

    items: tuple[Batch, ...]
    next: str | None


class Conversation(Document):
    conversation_id: UUID
    persona_key: str | None
    emotional_arc_key: str | None
    topic_key: str | None
    quality_score: Annotated[str, Field(examples=["4.1250"])] | None
    """A decimal number as the database has it."""
    tier: str | None
    enrichment_status: str | None
    created_at: Moment | None
    batch_ids: tuple[UUID, ...]
    batch_names: tuple[str | None, ...]
    training_files: tuple[str, ...]


class Conversations(Document):
    """One page of the conversations that match."""

    items: tuple[Conversation, ...]
    total: int
    """How many match; counting ends at 2,000."""
    total_is_exact: bool
    next: str | None
    """Where the next page is; null on the last one, and where 2,000 have been listed."""
