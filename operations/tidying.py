"""Keep the disk of a worker in bounds: cached results that nobody uses any more, and logs."""

import re
import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

RESULTS_ARE_KEPT_FOR = timedelta(days=1)
MAX_LOG_BYTES = 10 * 1024 * 1024
# `tasks.policies.once_a_request` makes the names; files of others may be in the same directory.
_CACHED = re.compile("trainfold-[a-z]+-[0-9a-f]{64}")


def remove_cached_results(directory: Path, *, older_than: timedelta = RESULTS_ARE_KEPT_FOR) -> int:
    """Remove cached task results of that age from Prefect's local storage; return their number."""
    removed = 0
    before = time.time() - older_than.total_seconds()
    for path in directory.iterdir() if directory.is_dir() else ():
        # Another worker may remove it at the same moment.
        with suppress(FileNotFoundError):
            if _CACHED.fullmatch(path.name) and path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


def rotate_logs(directory: Path, *, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Move the content of each large log to `….log.1`, of which there is one.

    The content, not the file: processes that append to it go on doing so.
    """
    for path in directory.glob("*.log") if directory.is_dir() else ():
        if path.stat().st_size > max_bytes:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            with path.open("rb+") as log:
                log.truncate(0)
