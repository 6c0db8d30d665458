"""Write rows as Parquet in bounded memory. pyarrow is an extra, and imported only here."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any, BinaryIO

from domain.errors import NotReady
from domain.exports.rows import COLUMNS

MAX_GROUP_ROWS = 10_000
MAX_GROUP_BYTES = 16 * 1024 * 1024
"""Of text in a row group, which is what memory holds: prompts repeat all that precedes a target."""


def has_pyarrow() -> bool:
    return find_spec("pyarrow") is not None


def require_pyarrow() -> None:
    """Raise NotReady unless pyarrow is installed."""
    if not has_pyarrow():
        raise NotReady(
            "examples.parquet needs pyarrow, which is not installed: run `pip install "
            "'trainfold[exports]'`; nothing was written."
        )


class ParquetWriter:
    """Writes one file with the columns of `domain.exports.rows`, a row group at a time."""

    def __init__(self, file: BinaryIO) -> None:
        from pyarrow import parquet  # noqa: PLC0415 - an extra, and slow to import

        self._schema = arrow_schema()
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0

    def write(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write rows; return their number."""
        count = 0
        for row in rows:
            count += 1
            self._rows.append(row)
            self._bytes += sum(len(message["content"]) for message in row["prompt"])
            if len(self._rows) >= MAX_GROUP_ROWS or self._bytes >= MAX_GROUP_BYTES:
                self._write_group()
        return count

    def close(self) -> None:
        if self._rows:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra

        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0


def arrow_schema() -> Any:
    """Return the explicit schema: what is inferred would differ where a column is all null."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    types = {
        "messages": messages,
        "string": pa.string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
    }
    return pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
