"""Import conversation files: check, upload, insert rows and batch links.

This is for users without an application that does it. Refused files are listed with their reasons,
and the others are imported.
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
    """A file, or one conversation of a full file, that was not imported, and the reason."""

    file: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ConversationFile:
    """A valid conversation: its file, bytes and parsed values."""

    file: str
    data: bytes
    conversation_id: UUID
    batch_id: UUID | None
    raw: dict[str, Any]
    conversation: Conversation

    @property
    def object_key(self) -> str:
        """Return a key that contains the content's digest, so that no object is overwritten."""
        return f"imported/{self.conversation_id}/{sha256(self.data)[:16]}.json"

    @property
    def training_content(self) -> tuple[Any, ...]:
        """Return the values that a training file takes; files with equal ones are identical."""
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
        """Import files and folders; `progress` is called with the stored and the total number."""
        with reading(self.engine) as connection:
            sources.require_ours(connection)
        result = ImportResult()
        files = self._read(paths, result)
        changed = self._choose(files, result)
        self._upload(changed, progress)
        unchanged = [file for file in files if file.conversation_id in result.unchanged]
        self._record(changed, [*changed, *unchanged], batch_name, result)
        return result

    def _read(self, paths: Sequence[Path], result: ImportResult) -> list[ConversationFile]:
        files: dict[UUID, ConversationFile] = {}
        for path in files_below(paths):
            for file in read_file(path, self.limits):
                if isinstance(file, RefusedFile):
                    result.refused.append(file)
                elif file.conversation_id in files:
                    first = files[file.conversation_id].file
                    text = f"Its conversation is also in {first}, which is imported."
                    result.refused.append(_refusal(file, "repeated-in-import", text))
                else:
                    files[file.conversation_id] = file
        return list(files.values())

    def _choose(
        self, files: Sequence[ConversationFile], result: ImportResult
    ) -> list[ConversationFile]:
        """Return the conversations to store: new ones, and with `update` also changed ones."""
        with reading(self.engine) as connection:
            paths = sources.enriched_paths(connection, [file.conversation_id for file in files])
        with ThreadPoolExecutor(THREADS) as pool:
            same = list(pool.map(lambda f: self._is_stored(f, paths.get(f.conversation_id)), files))
        changed = []
        for file, is_same in zip(files, same, strict=True):
            is_registered = paths.get(file.conversation_id) is not None
            if is_same:
                result.unchanged.append(file.conversation_id)
            elif is_registered and not self.update:
                text = "It is registered with different content; --update replaces that."
                result.refused.append(_refusal(file, "differs", text))
            else:
                (result.updated if is_registered else result.imported).append(file.conversation_id)
                changed.append(file)
        return changed

    def _is_stored(self, file: ConversationFile, path: str | None) -> bool:
        """Tell whether the registered file is valid and has the same content."""
        if path is None:
            return False
        try:
            data = self.store.get(path, max_bytes=self.limits.file_bytes)
            stored = _conversation_file(file.file, data, None, self.limits)
        except (Blocked, ObjectMissing):
            return False
        return stored.training_content == file.training_content

    def _upload(
        self, files: Sequence[ConversationFile], progress: Callable[[int, int], None]
    ) -> None:
        def put(file: ConversationFile) -> None:
            self.store.put(file.object_key, file.data, content_type="application/json")

        with ThreadPoolExecutor(THREADS) as pool:
            for done, _ in enumerate(pool.map(put, files), 1):
                progress(done, len(files))

    def _record(
        self,
        changed: Sequence[ConversationFile],
        linked: Sequence[ConversationFile],
        batch_name: str | None,
        result: ImportResult,
    ) -> None:
        """Insert rows and batch links in one transaction, after the objects are stored."""
        with writing(self.engine) as connection:
            if changed:
                sources.register(connection, [self._row(file) for file in changed])
            if batch_name and linked:
                result.batch = sources.ensure_batch_named(connection, batch_name)
                ids = [file.conversation_id for file in linked]
                sources.link(connection, result.batch, ids)
            for file in linked:
                if file.batch_id is not None:
                    batch = sources.ensure_batch(connection, file.batch_id)
                    sources.link(connection, batch, [file.conversation_id])

    def _row(self, file: ConversationFile) -> SourceRow:
        quality = statistics.of_pairs(file.conversation.training_pairs)
        pair = file.conversation.training_pairs[0].conversation_metadata
        day = datetime.fromisoformat(file.conversation.dataset_metadata.created_date)
        return SourceRow(
            conversation_id=file.conversation_id,
            enriched_file_path=file.object_key,
            persona_key=pair.persona_archetype,
            emotional_arc_key=pair.emotional_arc_key,
            topic_key=pair.training_topic_key,
            scaffolding_snapshot={
                "persona": {"persona_key": pair.persona_archetype, "name": pair.client_persona},
                "emotional_arc": {"arc_key": pair.emotional_arc_key, "name": pair.emotional_arc},
                "training_topic": {
                    "topic_key": pair.training_topic_key,
                    "name": pair.training_topic,
                },
            },
            quality_score=round(quality.quality_mean, 4),
            tier=quality.quality_tier,
            created_by=self.imported_by,
            created_at=day.replace(tzinfo=UTC),
        )


def files_below(paths: Sequence[Path]) -> list[Path]:
    """List the named files, and the JSON files in named folders, each once."""
    files = (
        file
        for path in paths
        for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])
    )
    return list(dict.fromkeys(files))


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
            yield _conversation_file(str(file), part, batch_id, limits)
        except Blocked as blocked:
            yield from (RefusedFile(str(file), reason) for reason in blocked.reasons)


def _parts(data: bytes, limits: Limits) -> list[tuple[bytes, str | None]]:
    """Split a full file into conversations; return any other file whole, to be validated."""
    try:
        value = parse(data, limits)
    except BadJson:
        return [(data, None)]
    return split(value) if is_full_file(value) else [(data, None)]


def _conversation_file(
    file: str, data: bytes, batch_id: str | None, limits: Limits
) -> ConversationFile:
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


def _refusal(file: ConversationFile, code: str, text: str) -> RefusedFile:
    reason = Reason(conversation_id=str(file.conversation_id), code=code, reason=text)
    return RefusedFile(file.file, reason)
