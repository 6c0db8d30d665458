"""Render the full JSON, the JSONL, and one conversation's part of both."""

from typing import Literal

Format = Literal["json", "jsonl"]
FORMATS: tuple[Format, ...] = ("json", "jsonl")
CONTENT_TYPES: dict[Format, str] = {"json": "application/json", "jsonl": "application/x-ndjson"}
