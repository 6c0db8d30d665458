"""Register conversation files: check, upload, insert rows and batch links.

For those who have no application that does it. Files that are refused are named with their
reasons; the others are imported.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from db import sources
from db.batches import Batch
from db.engine import reading, writing
from db.sources import SourceRow
from domain import statistics
from domain.errors import Blocked, ObjectMissing
from domain.findings import Reason
from domain.format.digest import sha256
from domain.source.checking import read
from domain.source.conversation import Conversation
from domain.source.limits import Limits
from domain.source.parsing import BadJson, parse
from domain.source.splitting import is_full_file, split
from storage.store import ObjectStore

THREADS = 16


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """Why a file, or one conversation of a full file, was not imported."""

    file: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ConversationFile:
    """A sound conversation: where it was found, its bytes and their values."""

    file: str
    data: bytes
    conversation_id: UUID
    batch_id: UUID | None
    raw: dict[str, Any]
    conversation: Conversation

    @property
    def object_key(self) -> str:
        """A key for this very content, so that nothing that is there is overwritten."""
        return f"imported/{self.conversation_id}/{sha256(self.data)[:16]}.json"

    @property
    def substance(self) -> tuple[Any, ...]:
        """What a training file would take of it; two files alike in this are identical."""
        created = self.raw["dataset_metadata"]["created_date"]
        return created, self.raw["consultant_profile"], self.raw["training_pairs"]


@dataclass(slots=True)
class ImportResult:
    imported: list[UUID] = field(default_factory=list)
    updated: list[UUID] = field(default_factory=list)
    unchanged: list[UUID] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    engine: Engine
    store: ObjectStore
    limits: Limits
    imported_by: str
    update: bool

    def run(
        self, paths: Sequence[Path], *, batch_name: str | None, progress: Callable[[int, int], None]
    ) -> ImportResult:
        """Import files and folders of files; `progress` hears how many of how many are stored."""
        outcome = ImportResult()
        found = self._read(paths, outcome)
        chosen = self._choose(found, outcome)
        self._upload(chosen, progress)
        unchanged = [source for source in found if source.conversation_id in outcome.unchanged]
        self._record(chosen, [*chosen, *unchanged], batch_name, outcome)
        return outcome

    def _read(self, paths: Sequence[Path], outcome: ImportResult) -> list[ConversationFile]:
        first: dict[UUID, ConversationFile] = {}
        for file in files_below(paths):
            for found in read_file(file, self.limits):
                if isinstance(found, RefusedFile):
                    outcome.refused.append(found)
                elif found.conversation_id in first:
                    other = first[found.conversation_id].file
                    text = f"Its conversation stands in {other} too, which was taken."
                    outcome.refused.append(_refusal(found, "repeated-in-import", text))
                else:
                    first[found.conversation_id] = found
        return list(first.values())

    def _choose(
        self, found: Sequence[ConversationFile], outcome: ImportResult
    ) -> list[ConversationFile]:
        """Choose what to store: new conversations, and changed ones if updates are wanted."""
        with reading(self.engine) as connection:
            paths = sources.enriched_paths(connection, [source.conversation_id for source in found])
        with ThreadPoolExecutor(THREADS) as pool:
            same = list(pool.map(lambda s: self._is_stored(s, paths.get(s.conversation_id)), found))
        chosen = []
        for source, unchanged in zip(found, same, strict=True):
            registered = paths.get(source.conversation_id) is not None
            if unchanged:
                outcome.unchanged.append(source.conversation_id)
            elif registered and not self.update:
                text = "It is registered with different content; --update replaces that."
                outcome.refused.append(_refusal(source, "differs", text))
            else:
                (outcome.updated if registered else outcome.imported).append(source.conversation_id)
                chosen.append(source)
        return chosen

    def _is_stored(self, source: ConversationFile, path: str | None) -> bool:
        """Tell whether the registered file has the same content; a broken one has not."""
        if path is None:
            return False
        try:
            data = self.store.get(path, max_bytes=self.limits.file_bytes)
            return _source(source.file, data, None, self.limits).substance == source.substance
        except (Blocked, ObjectMissing):
            return False

    def _upload(
        self, chosen: Sequence[ConversationFile], progress: Callable[[int, int], None]
    ) -> None:
        def put(source: ConversationFile) -> None:
            self.store.put(source.object_key, source.data, content_type="application/json")

        with ThreadPoolExecutor(THREADS) as pool:
            for done, _ in enumerate(pool.map(put, chosen), 1):
                progress(done, len(chosen))

    def _record(
        self,
        chosen: Sequence[ConversationFile],
        linked: Sequence[ConversationFile],
        batch_name: str | None,
        outcome: ImportResult,
    ) -> None:
        """Rows and batch links in one transaction, after the objects they point to."""
        with writing(self.engine) as connection:
            if chosen:
                sources.register(connection, [self._row(source) for source in chosen])
            if batch_name and linked:
                outcome.batch = sources.ensure_batch_named(connection, batch_name)
                ids = [source.conversation_id for source in linked]
                sources.link(connection, outcome.batch, ids)
            for source in linked:
                if source.batch_id is not None:
                    batch = sources.ensure_batch(connection, source.batch_id)
                    sources.link(connection, batch, [source.conversation_id])

    def _row(self, source: ConversationFile) -> SourceRow:
        numbers = statistics.of_pairs(source.conversation.training_pairs)
        words = source.conversation.training_pairs[0].conversation_metadata
        day = datetime.fromisoformat(source.conversation.dataset_metadata.created_date)
        return SourceRow(
            conversation_id=source.conversation_id,
            enriched_file_path=source.object_key,
            persona_key=words.persona_archetype,
            emotional_arc_key=words.emotional_arc_key,
            topic_key=words.training_topic_key,
            scaffolding_snapshot={
                "persona": {"persona_key": words.persona_archetype, "name": words.client_persona},
                "emotional_arc": {"arc_key": words.emotional_arc_key, "name": words.emotional_arc},
                "training_topic": {
                    "topic_key": words.training_topic_key,
                    "name": words.training_topic,
                },
            },
            quality_score=round(numbers.quality_mean, 4),
            tier=numbers.quality_tier,
            created_by=self.imported_by,
            created_at=day.replace(tzinfo=UTC),
        )


def files_below(paths: Sequence[Path]) -> list[Path]:
    """List the named files, and the JSON files in named folders, each once."""
    found = (
        file
        for path in paths
        for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])
    )
    return list(dict.fromkeys(found))


def read_file(file: Path, limits: Limits) -> Iterator[ConversationFile | RefusedFile]:
    """Read the conversation of an individual file, or all of a full training file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        text = f"The file cannot be read: {error.strerror}."
        yield RefusedFile(str(file), Reason(code="unreadable", reason=text))
        return
    for part, batch_id in _parts(data, limits):
        try:
            yield _source(str(file), part, batch_id, limits)
        except Blocked as blocked:
            yield from (RefusedFile(str(file), reason) for reason in blocked.reasons)


def _parts(data: bytes, limits: Limits) -> list[tuple[bytes, str | None]]:
    """Split a full file; anything else is one part, which validation judges."""
    try:
        value = parse(data, limits)
    except BadJson:
        return [(data, None)]
    return split(value) if is_full_file(value) else [(data, None)]


def _source(file: str, data: bytes, batch_id: str | None, limits: Limits) -> ConversationFile:
    raw, conversation = read(data, None, limits=limits)
    name = conversation.dataset_metadata.dataset_name
    return ConversationFile(
        file=file,
        data=data,
        conversation_id=UUID(name.removeprefix("fp_conversation_")),
        batch_id=_uuid(batch_id),
        raw=raw,
        conversation=conversation,
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _refusal(source: ConversationFile, code: str, text: str) -> RefusedFile:
    reason = Reason(conversation_id=str(source.conversation_id), code=code, reason=text)
    return RefusedFile(source.file, reason)
