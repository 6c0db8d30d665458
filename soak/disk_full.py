"""Trials that fill the disk of PostgreSQL and S3, on a stack of their own."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from operations.settings import Settings
from soak.claim import Claim
from soak.judge import is_final
from soak.local_stack import SERVICES, prepare
from soak.services import Services
from soak.stage import Stage
from soak.tally import Tally
from soak.trial import Trial
from trainfold.stack import Stack

DISK_MIB = 1200
"""More than the gibibyte that the local S3 requires free when it starts."""
BALLAST_PIECE = b"\0" * (1 << 20)
ROUNDS = 4
PATIENCE_SECONDS = 90.0
"""S3 checks once a minute whether the disk has space again."""


def unavailable() -> str | None:
    """Return why a small disk cannot be mounted on this machine, or None."""
    if getattr(os, "geteuid", lambda: 1)() != 0:
        return "only root may mount a small disk"
    if psutil.virtual_memory().available < 2 * DISK_MIB * len(BALLAST_PIECE):
        return f"a disk of {DISK_MIB} MiB in memory would take more than half of the free memory"
    try:
        with _small_disk():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"a small disk cannot be mounted: {error}"


def disk_full(stage: Stage, number: int, *, rounds: int = ROUNDS) -> Tally:
    """Fill the disk, or nearly, while a request runs; then free the space and retry."""
    with _small_disk() as home, _stack(home) as (services, stack):
        engine = services.engine()
        sources, files = services.stores()
        small = replace(stage, services=services, engine=engine, sources=sources, files=files)
        trial = Trial(small, "disk full", number)
        trial.base()
        for _ in range(rounds):
            claim = trial.claim(trial.conversations(trial.chance.randint(1, 3)))
            with _filled(home, spare_bytes=trial.chance.choice([0, 0, 20_000, 100_000, 400_000])):
                trial.run(claim)
                trial.struck += 1
            stack.up(SERVICES, say=_silent)
            trial.inspect()
            _retry_until_final(trial, claim)
        tally = trial.tally()
        engine.dispose()
        return tally


def _retry_until_final(trial: Trial, claim: Claim) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_final(claim.last) and time.monotonic() < until:
        trial.run(claim)
        if not is_final(claim.last):
            time.sleep(1)


@contextmanager
def _small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="trainfold-disk-"))
    options = f"size={DISK_MIB}m,mode=0711"
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "trainfold-soak", folder],
            check=True,
            capture_output=True,
        )
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True, capture_output=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _stack(home: Path) -> Iterator[tuple[Services, Stack]]:
    stack = Stack(home)
    try:
        stack.up(SERVICES, say=_silent)
        connections = json.loads((home / "stack.json").read_text())
        fields = {key: value for key, value in connections.items() if key in Settings.model_fields}
        services = Services.of(Settings(**fields))
        prepare(services)
        yield services, stack
    finally:
        stack.down(say=_silent)


@contextmanager
def _filled(home: Path, *, spare_bytes: int) -> Iterator[None]:
    """Fill the disk for the block, except for `spare_bytes`."""
    ballast = home / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(BALLAST_PIECE):
                pass
        os.truncate(ballast, max(0, ballast.stat().st_size - spare_bytes))
        yield
    finally:
        ballast.unlink()


def _silent(text: str) -> None:
    """Discard the stack's messages."""
