"""Exports of a version in the shapes that trainers read.

The spec's JSONL stays what it is; exports hold the same approved targets as chat messages.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

LineFormat = Literal["messages", "prompt-completion", "sharegpt"]
ExportFormat = Literal["messages", "prompt-completion", "sharegpt", "parquet"]
LINE_FORMATS: tuple[LineFormat, ...] = ("messages", "prompt-completion", "sharegpt")
EXPORT_FORMATS: tuple[ExportFormat, ...] = (*LINE_FORMATS, "parquet")
Side = Literal["train", "validation"]
SIDES: tuple[Side, ...] = ("train", "validation")
Split = Literal["train", "validation", "both"]
"""What a file of a split holds: one side, or both, which a column of Parquet tells apart."""
STEMS: Mapping[ExportFormat, str] = {
    **{format: format for format in LINE_FORMATS},
    "parquet": "examples",
}
"""What a format's files are called."""
CONTENT_TYPES: Mapping[ExportFormat, str] = {
    **dict.fromkeys(LINE_FORMATS, "application/x-ndjson"),
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One file of an export: all of a version, or one side of a validation split.

    Parquet is one file always: a column tells the sides apart.
    """

    format: ExportFormat
    side: Side | None = None

    @property
    def file_name(self) -> str:
        side = f".{self.side}" if self.side else ""
        extension = "parquet" if self.format == "parquet" else "jsonl"
        return f"{STEMS[self.format]}{side}.{extension}"


def export_parts(formats: Collection[ExportFormat], *, sided: bool) -> Iterator[ExportPart]:
    """Yield the files that an export of these formats may have, in the formats' own order."""
    for format in EXPORT_FORMATS:
        if format not in formats:
            continue
        if sided and format != "parquet":
            yield from (ExportPart(format, side) for side in SIDES)
        else:
            yield ExportPart(format)
