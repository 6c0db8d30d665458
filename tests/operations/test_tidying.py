"""A worker's disk stays in bounds."""

import os
import time
from datetime import timedelta
from pathlib import Path

from operations.tidying import remove_cached_results, rotate_logs

A_DAY = timedelta(days=1)


def put(path: Path, *, age: timedelta) -> Path:
    path.write_bytes(b"x")
    moment = time.time() - age.total_seconds()
    os.utime(path, (moment, moment))
    return path


def test_only_own_results_that_are_too_old_to_be_used_are_removed(tmp_path: Path):
    old = put(tmp_path / f"trainfold-fetch-{'a' * 64}", age=A_DAY * 1.01)
    kept = [
        put(tmp_path / f"trainfold-fetch-{'b' * 64}", age=A_DAY * 0.99),
        put(tmp_path / "somebody-elses", age=A_DAY * 30),
        put(tmp_path / f"trainfold-fetch-{'a' * 64}.bak", age=A_DAY * 30),
    ]
    assert remove_cached_results(tmp_path) == 1
    assert not old.exists()
    assert all(path.exists() for path in kept)
    assert remove_cached_results(tmp_path / "nowhere") == 0


def test_a_large_log_is_moved_while_its_process_goes_on_writing(tmp_path: Path):
    large, small = tmp_path / "prefect.log", tmp_path / "s3.log"
    small.write_bytes(b"small")
    with large.open("ab", buffering=0) as process:
        for line in (b"first\n", b"second\n"):
            process.write(line * 100)
            rotate_logs(tmp_path, max_bytes=500)
        process.write(b"third\n")
    assert large.read_bytes() == b"third\n"
    assert (tmp_path / "prefect.log.1").read_bytes() == b"second\n" * 100
    assert small.read_bytes() == b"small"
    assert len(list(tmp_path.iterdir())) == 3
