"""Tag versions, and remove tags. A protected tag stays where it is."""

from uuid import uuid4

from sqlalchemy import Engine

from db.tags import delete_tag, find_tag, put_tag
from db.versions import find_stored_version, find_version
from domain.errors import Blocked, NotFound
from domain.findings import Reason, shortened
from domain.versions.record import Tag, VersionRecord
from domain.versions.requests import FileCommand
from domain.versions.tags import normal_tag, tag_problem
from operations.log import changing, note_change


def tag_version(
    engine: Engine, name: str, version: str, tag: str, *, protected: bool, requested_by: str
) -> VersionRecord:
    """Tag a version and return it; the tag leaves the version that had it. Safe to repeat.

    Raises Blocked if the tag is no name or is protected elsewhere, NotFound without the version.
    """
    command = _command(name, requested_by)
    with changing(engine, command, "tag") as (connection, file):
        tag = _checked(tag)
        record = find_stored_version(connection, name, version)
        existing = find_tag(connection, file.id, tag)
        if existing != (record.number, Tag(name=tag, is_protected=True)):
            _refuse_protected(record, existing)
            new = Tag(name=tag, is_protected=protected)
            put_tag(connection, file.id, record.number, new, created_by=requested_by)
            note_change(
                connection,
                file,
                command,
                "tag",
                version=record.number,
                tag=tag,
                protected=protected,
            )
        return find_version(connection, name, record.number)


def untag(engine: Engine, name: str, tag: str, *, requested_by: str) -> VersionRecord:
    """Remove a tag and return the version that had it; raises NotFound, Blocked if protected."""
    tag = normal_tag(tag)
    command = _command(name, requested_by)
    with changing(engine, command, "untag") as (connection, file):
        record = find_version(connection, name)
        # A text that can be no tag is none.
        existing = None if tag_problem(tag) else find_tag(connection, file.id, tag)
        if existing is None:
            raise NotFound(
                f"“{record.training_file}” has no tag “{shortened(tag)}”. Nothing was changed. "
                "`trainfold versions FILE` lists its tags."
            )
        _refuse_protected(record, existing)
        delete_tag(connection, file.id, tag)
        note_change(connection, file, command, "untag", version=existing[0], tag=tag)
        return find_version(connection, name, existing[0])


def _command(name: str, requested_by: str) -> FileCommand:
    return FileCommand(training_file=name, requested_by=requested_by, request_id=str(uuid4()))


def _checked(tag: str) -> str:
    tag = normal_tag(tag)
    if problem := tag_problem(tag):
        text = f"“{shortened(tag)}” cannot be a tag: {problem}."
        raise Blocked([Reason(code="bad-tag", reason=text)])
    return tag


def _refuse_protected(record: VersionRecord, existing: tuple[int, Tag] | None) -> None:
    if existing and existing[1].is_protected:
        number, tag = existing
        text = (
            f"The tag “{tag.name}” of “{record.training_file}” is protected: it stays at version "
            f"{number}. Choose another tag."
        )
        raise Blocked([Reason(code="tag-protected", reason=text)])
