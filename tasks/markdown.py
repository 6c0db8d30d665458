"""Write text of people and files into markdown, where it stays text."""

import re
import unicodedata

from domain.format.digest import sha256
from domain.versions.naming import name_key


def artifact_key(kind: str, name: str, digits: str) -> str:
    """Return an artifact key of a training file's own: Prefect takes a-z, 0-9 and dashes only.

    Names in other scripts leave nothing of themselves, and many names leave the same.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join([kind, *re.findall("[a-z0-9]+", plain), digits[:8]])


def key_by_name(kind: str, name: str) -> str:
    """Return the artifact key of a training file that need not exist."""
    return artifact_key(kind, name, sha256(name_key(name).encode()))


def inline(text: str) -> str:
    """Escape what markdown and HTML would interpret inside a line or a table cell.

    Addresses without markup are links too, in GitHub's flavour: `http:`, `www.` and `@`.
    """
    line = re.sub(r"\s", " ", text)
    escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~@]|:(?=/)|(?<=www)\.)", r"\\\1", escaped, flags=re.IGNORECASE)


def code(text: str) -> str:
    """Write a text as inline code, where nothing is interpreted but the marks that end it."""
    line = re.sub(r"\s", " ", text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"
