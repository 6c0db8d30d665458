"""Exports of a version in the shapes that trainers read, one JSON line an example.

The spec's JSONL stays what it is; exports hold the same approved targets as chat messages.
"""

from typing import Literal

ExportFormat = Literal["messages", "prompt-completion", "sharegpt"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = ("messages", "prompt-completion", "sharegpt")
Side = Literal["train", "validation"]
EXPORT_CONTENT_TYPE = "application/x-ndjson"
