"""Tag versions, and remove tags. A protected tag stays where it is."""

from sqlalchemy import Engine

from db.engine import writing
from db.tags import delete_tag, find_tag, lock_training_file, put_tag
from db.versions import find_version
from domain.errors import Blocked, NotFound
from domain.findings import Reason, shortened
from domain.versions.naming import text_problem
from domain.versions.record import Tag, VersionRecord
from domain.versions.requests import MAX_ASKER_LENGTH
from domain.versions.tags import normal_tag, tag_problem


def tag_version(
    engine: Engine, name: str, version: str, tag: str, *, protected: bool, requested_by: str
) -> VersionRecord:
    """Tag a version and return it; the tag leaves the version that had it. Safe to repeat.

    Raises Blocked if the tag is no name or is protected elsewhere, NotFound without the version.
    """
    tag = _checked(tag, requested_by)
    with writing(engine) as connection:
        record = find_version(connection, name, version)
        lock_training_file(connection, record.training_file_id)
        existing = find_tag(connection, record.training_file_id, tag)
        if existing != (record.number, Tag(name=tag, is_protected=True)):
            _refuse_protected(record, existing)
            new = Tag(name=tag, is_protected=protected)
            id = record.training_file_id
            put_tag(connection, id, record.number, new, created_by=requested_by)
        return find_version(connection, name, record.number)


def untag(engine: Engine, name: str, tag: str) -> VersionRecord:
    """Remove a tag and return the version that had it; raises NotFound, Blocked if protected."""
    tag = normal_tag(tag)
    with writing(engine) as connection:
        record = find_version(connection, name)
        lock_training_file(connection, record.training_file_id)
        # A text that can be no tag is none.
        existing = None if tag_problem(tag) else find_tag(connection, record.training_file_id, tag)
        if existing is None:
            raise NotFound(
                f"“{record.training_file}” has no tag “{shortened(tag)}”. Nothing was changed. "
                "`trainfold versions FILE` lists its tags."
            )
        _refuse_protected(record, existing)
        delete_tag(connection, record.training_file_id, tag)
        return find_version(connection, name, existing[0])


def _checked(tag: str, requested_by: str) -> str:
    tag = normal_tag(tag)
    reasons = []
    if problem := tag_problem(tag):
        text = f"“{shortened(tag)}” cannot be a tag: {problem}."
        reasons.append(Reason(code="bad-tag", reason=text))
    if problem := text_problem(requested_by, max_length=MAX_ASKER_LENGTH):
        reasons.append(Reason(code="bad-asker", reason=f"Not a name of who asks: {problem}."))
    if reasons:
        raise Blocked(reasons)
    return tag


def _refuse_protected(record: VersionRecord, existing: tuple[int, Tag] | None) -> None:
    if existing and existing[1].is_protected:
        number, tag = existing
        text = (
            f"The tag “{tag.name}” of “{record.training_file}” is protected: it stays at version "
            f"{number}. Choose another tag."
        )
        raise Blocked([Reason(code="tag-protected", reason=text)])
