"""Write text of people and files into markdown, where it stays text."""

import re

from domain.versions.naming import download_name


def slug(name: str) -> str:
    """Return an artifact key: lower-case letters, digits and dashes."""
    plain = download_name(name, 0, "json").removesuffix("-v0.json").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "training-file"


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
