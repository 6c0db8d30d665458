"""Names under which versions and exports are downloaded: the training file's, in its own script."""

import unicodedata
from urllib.parse import quote
from uuid import UUID

from domain.format import Format
from domain.versions.record import VersionRecord

MAX_STEM_BYTES = 160
"""File systems take 255 bytes; a version, an export's name and a temporary suffix are added."""

_FORBIDDEN = frozenset('<>:"/\\|?*')
"""Windows takes none of them in a file name."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


def download_name(version: VersionRecord, format: Format) -> str:
    """Return the file name of a version's object: the name that the version was made under."""
    return f"{_numbered(version, version.file_name)}.{format}"


def export_name(version: VersionRecord, file_name: str) -> str:
    """Return the file name of a version's export: the training file's current name."""
    return f"{_numbered(version, version.training_file)}-{file_name}"


def content_disposition(file_name: str) -> str:
    """Return the header that saves a response under this name (RFC 6266, RFC 5987).

    Programs that do not read `filename*` get the ASCII name, where `_` replaces the rest.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .-_") else "_" for c in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def _numbered(version: VersionRecord, name: str) -> str:
    is_current = name == version.training_file
    return f"{file_stem(name, version.training_file_id, is_current=is_current)}-v{version.number}"


def file_stem(name: str, id: UUID, *, is_current: bool = True) -> str:
    """Return a stem that no other training file has.

    Names differ in more than case and white space, so a name that is kept is unique. One that had
    to be changed, or that another file may have taken since, is followed by the file's short id.
    """
    normal = " ".join(unicodedata.normalize("NFC", name).split())
    safe = "".join("_" if _is_unsafe(character) else character for character in normal)
    if safe.startswith((".", "-", "~")):
        # Hidden, an option of commands, a home.
        safe = f"_{safe[1:]}"
    stem = safe.encode()[:MAX_STEM_BYTES].decode(errors="ignore").strip()
    if stem and is_current and stem == normal:
        return stem
    return f"{stem}-{str(id)[:8]}".lstrip("-")


def _is_unsafe(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character) in _INVISIBLE
