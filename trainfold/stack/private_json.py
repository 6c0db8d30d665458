"""JSON files that only their owner can read."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any


def write_private_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file at once: a reader sees the old content or the new, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


class PrivateJsonFile:
    """A JSON object on disk that several threads of one process may change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def read(self) -> dict[str, Any]:
        """The object; empty when there is no file."""
        try:
            content: dict[str, Any] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        return content

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """The object to change in place; it is written when the block ends without an error."""
        with self._lock:
            content = self.read()
            yield content
            write_private_json(self._path, content)
