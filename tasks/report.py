"""What people see in Prefect: progress, the reasons of a blocked request, a version's summary."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from domain.errors import Damaged
from domain.findings import Reason
from domain.format import Format
from domain.statistics import quality_summary
from domain.versions.naming import download_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.rebuild import Rebuilt
from operations.sweep import Swept

SECONDS_BETWEEN_UPDATES = 1.0


class ProgressBar:
    """A progress artifact that is updated at most once a second.

    Updates are sent in the background and may fail: while a flow maps, its server is busy.
    """

    def __init__(self, total: int, what: str) -> None:
        self._total = total
        self._done = 0
        self._last = time.monotonic()
        self._artifact: Any = create_progress_artifact(progress=0.0, description=f"{total} {what}")
        self._updates = ThreadPoolExecutor(1, thread_name_prefix="progress")

    def advance(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._done == self._total or now - self._last >= SECONDS_BETWEEN_UPDATES:
            self._last = now
            share = 100.0 * self._done / self._total
            update = partial(update_progress_artifact, self._artifact, progress=share)
            self._updates.submit(copy_context().run, update)


def report_together(*reports: Callable[[], None]) -> None:
    """Make several artifacts at once."""
    with ThreadPoolExecutor(len(reports), thread_name_prefix="report") as pool:
        futures = [pool.submit(copy_context().run, report) for report in reports]
    for future in futures:
        future.result()


def report_result(document: Mapping[str, Any]) -> None:
    """Record what the run came to, for programs: an artifact of type `result`."""
    with get_client(sync_client=True) as client:
        # prefect.artifacts.Artifact would store the object as text.
        client.create_artifact(
            ArtifactCreate(type="result", data=dict(document), flow_run_id=flow_run.id)
        )


def report_blocked(training_file: str, reasons: Sequence[Reason]) -> None:
    """Record the table of every conversation and reason."""
    create_table_artifact(
        key=f"blocked-{_slug(training_file)}",
        table=[
            {
                "conversation": reason.conversation_id or "(the request)",
                "code": reason.code,
                "reason": reason.reason,
                "path": reason.path or "",
            }
            for reason in reasons
        ],
        description=f"Nothing was written to “{_inline(training_file)}”: "
        f"{len(reasons)} reason(s). Mend or leave out what is listed, then ask again.",
    )


def report_version(version: VersionRecord) -> None:
    """Record a summary with links to both downloads; one timeline for each training file."""
    create_markdown_artifact(
        key=f"training-file-{_slug(version.training_file)}",
        markdown=version_markdown(version),
        description=f"Version {version.number} of “{_inline(version.training_file)}”",
    )


def report_rebuild(rebuilt: Rebuilt) -> None:
    """Record what changed since the version before: bytes, pairs, quality."""
    create_table_artifact(
        key=f"rebuild-{_slug(rebuilt.version.training_file)}",
        table=[
            {
                "conversation": str(each.before.conversation_id),
                "sha256 before": each.before.json_sha256[:12],
                "sha256 now": each.after.json_sha256[:12],
                "pairs before": each.before.statistics.pair_count,
                "pairs now": each.after.statistics.pair_count,
                "quality before": f"{each.before.statistics.quality_mean:.2f}",
                "quality now": f"{each.after.statistics.quality_mean:.2f}",
            }
            for each in rebuilt.changed
        ],
        description=f"{len(rebuilt.changed)} conversations of "
        f"“{_inline(rebuilt.version.training_file)}” changed in version {rebuilt.version.number}.",
    )


def report_rebuilds(ends: Mapping[str, State[Any]]) -> None:
    """Record how the rebuild of each training file ended."""
    create_table_artifact(
        key="rebuild-all",
        table=[
            {"training file": name, "state": end.name, "message": end.message or ""}
            for name, end in ends.items()
        ],
        description="Each training file has a run of its own, with its reasons or its changes.",
    )


def report_sweep(swept: Swept) -> None:
    """Record the objects that no version refers to."""
    create_table_artifact(
        key="maintain",
        table=[{"object": key} for key in swept.objects],
        description=f"{len(swept.objects)} objects without a version, {swept.size_bytes:,} bytes; "
        f"{'removed' if swept.removed else 'only listed'}. "
        f"{swept.uploads} unfinished uploads aborted.",
    )


def report_damage(damaged: Sequence[Damaged]) -> None:
    """Record what is wrong with which version."""
    create_table_artifact(
        key="damaged",
        table=[
            {"training file": each.name, "version": each.version, "finding": finding}
            for each in damaged
            for finding in each.findings
        ],
        description="Stored objects that are not what their version records. The rows in the "
        "database are unchanged. Restore the objects, or rebuild the training file as a whole.",
    )


def version_markdown(version: VersionRecord) -> str:
    quality = quality_summary(version.statistics)
    minutes = resources.settings().download_link_lifetime.total_seconds() / 60
    lines = [
        f"# {_inline(version.training_file)}, version {version.number}",
        "",
        f"{version.conversation_count} conversations, {version.pair_count} training pairs, "
        f"{version.example_count} examples. Made by {_inline(version.created_by)} "
        f"({version.reason}).",
        "",
        "| download | bytes | digest |",
        "| --- | --- | --- |",
        *(_download_row(version, format) for format in ("json", "jsonl")),
        "",
        f"The links work for {minutes:g} minutes; after that: "
        f"`trainfold download '{_inline(version.training_file)}' --version {version.number}`.",
        "",
        "| quality | |",
        "| --- | --- |",
        *(f"| {key} | {value} |" for key, value in quality.items()),
    ]
    if version.warnings:
        lines += ["", f"## Warnings: {len(version.warnings)}", ""]
        lines += ["| conversation | warning | times | first at |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {w.conversation_id} | {_inline(w.message)} | {w.count} | `{_inline(w.path)}` |"
            for w in version.warnings
        ]
    return "\n".join(lines)


def _download_row(version: VersionRecord, format: Format) -> str:
    name = download_name(version.training_file, version.number, format)
    stored = version.stored(format)
    link = resources.training_files_store().download_link(
        stored.key, file_name=name, lifetime=resources.settings().download_link_lifetime
    )
    return f"| [{name}]({link}) | {stored.size_bytes:,} | `{stored.digest}` |"


def _slug(name: str) -> str:
    """Return an artifact key: lower-case letters, digits and dashes."""
    plain = download_name(name, 0, "json").removesuffix("-v0.json").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "training-file"


def _inline(text: str) -> str:
    """Escape what markdown and HTML would interpret inside a line or a table cell."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", escaped.replace("\n", " "))
