"""Names of training files, and the keys of their objects."""

import re
import unicodedata
from shlex import quote
from uuid import UUID

from domain.format import Format

MAX_NAME_LENGTH = 120
MAX_REQUEST_ID_LENGTH = 100

# Letters and marks that show nothing, though Unicode does not class them as format characters.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_LINE_BREAKS = frozenset("\n\r\t")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNSHOWABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SAFE_KEY = re.compile(r"[A-Za-z0-9_/.-]{1,900}")
_REQUEST_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_REQUEST_ID_LENGTH}}}")
_ATTEMPT = "[0-9a-f]{8}"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_VERSION = rf"v(?!000000)(?:[0-9]{{6}}|[1-9][0-9]{{6,}})-{_REQUEST_ID.pattern}"
_EXPORT = r"[a-z]+(?:-[a-z]+)*(?:\.(?:train|validation))?\.(?:jsonl|parquet)"
_OWN_KEY = re.compile(
    rf"(?P<id>{_UUID})/"
    rf"(?:{_VERSION}\.{_ATTEMPT}/training\.(?:json|jsonl)"
    rf"|{_VERSION}\.{_ATTEMPT}/export/{_EXPORT}"
    rf"|rebuild-{_REQUEST_ID.pattern}\.{_ATTEMPT}/changed\.(?:json|jsonl))"
)

INSTALLATION_KEY = "trainfold-installation.json"
"""The object that says which database a bucket of training files belongs to."""


def normal_name(name: str) -> str:
    """Return the name as it is stored and shown: Unicode NFC, no white space around it."""
    return unicodedata.normalize("NFC", name).strip()


def name_key(name: str) -> str:
    """Return the key that names share which differ only in case, width or inner white space."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


def name_problem(name: str) -> str | None:
    """Say why a name cannot be a training file's, or return None."""
    if not name_key(name):
        return "the name is empty"
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters; at most {MAX_NAME_LENGTH}"
    if any(
        unicodedata.category(character) in _INVISIBLE or character in _FILLERS for character in name
    ):
        return "the name has control or invisible characters"
    if set(name) & set("/\\"):
        return "the name looks like a path: / and \\ are not allowed"
    return None


def text_problem(text: str, *, max_length: int, line_breaks: bool = False) -> str | None:
    """Say why a text about a training file cannot be recorded and shown, or return None."""
    if len(text) > max_length:
        return f"it has {len(text):,} characters; at most {max_length:,}"
    allowed = _LINE_BREAKS if line_breaks else frozenset()
    if any(unicodedata.category(c) in _UNSHOWABLE for c in set(text) - allowed):
        return "it has control characters or halves of characters"
    return None


def can_be_stored(text: str) -> bool:
    """Tell whether PostgreSQL can hold the text: it takes no NUL and no lone surrogate."""
    return not any(c == "\0" or unicodedata.category(c) == "Cs" for c in text)


def is_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None


def is_safe_key(key: str) -> bool:
    """Tell whether an object key stays inside its bucket with every provider."""
    parts = key.split("/")
    return _SAFE_KEY.fullmatch(key) is not None and not {"", ".", ".."} & set(parts)


def version_key(
    training_file_id: UUID, number: int, *, request_id: str, attempt: str, format: Format
) -> str:
    """Return the write-once key of a version's object; no two tries share an `attempt`."""
    return f"{training_file_id}/v{number:06d}-{request_id}.{attempt}/training.{format}"


def as_argument(name: str) -> str:
    """Return the name as a shell takes it: last, and after -- where it would be an option."""
    return f"-- {quote(name)}" if name.startswith("-") else quote(name)


def rebuild_key(training_file_id: UUID, *, request_id: str, attempt: str, format: Format) -> str:
    """Return the key of an object that a rebuild keeps changed conversations in until it ends."""
    return f"{training_file_id}/rebuild-{request_id}.{attempt}/changed.{format}"


def export_key(
    training_file_id: UUID, number: int, *, request_id: str, attempt: str, file_name: str
) -> str:
    """Return the write-once key of a file that was made from a version, beside its objects."""
    return f"{training_file_id}/v{number:06d}-{request_id}.{attempt}/export/{file_name}"


def training_file_of(key: str) -> UUID | None:
    """Return the training file that an object belongs to; None unless the key is one of ours."""
    own = _OWN_KEY.fullmatch(key)
    return UUID(own["id"]) if own else None
