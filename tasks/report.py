"""Write artifacts, which people see in Prefect's UI, and results for programs."""

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

from domain.counting import counted
from domain.errors import Blocked, Damaged
from domain.exports.stored import StoredExport
from domain.findings import by_cause
from domain.format import Format
from domain.statistics import quality_summary
from domain.versions.file_names import download_name, export_name
from domain.versions.naming import as_argument
from domain.versions.plans import PlanProgress
from domain.versions.record import VersionRecord
from operations import resources
from operations.rebuild import Rebuilt
from operations.sweep import Swept
from tasks.markdown import artifact_key, code, inline, key_by_name

SECONDS_BETWEEN_UPDATES = 1.0
MAX_WARNINGS = 200
"""Lines in a version's summary: a browser renders thousands slowly, and nobody reads them."""


class ProgressBar:
    """A progress artifact that is updated at most once a second.

    Updates are sent in the background and may fail, as the server is busy while a flow maps.
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
    """Write several artifacts concurrently."""
    with ThreadPoolExecutor(len(reports), thread_name_prefix="report") as pool:
        futures = [pool.submit(copy_context().run, report) for report in reports]
    for future in futures:
        future.result()


def report_result(document: Mapping[str, Any]) -> None:
    """Record the run's outcome for programs, as an artifact of type `result`."""
    with get_client(sync_client=True) as client:
        # prefect.artifacts.Artifact would store the object as a string.
        client.create_artifact(
            ArtifactCreate(type="result", data=dict(document), flow_run_id=flow_run.id)
        )


def report_blocked(training_file: str, blocked: Blocked) -> None:
    """Record a table of all reasons and their conversations."""
    create_table_artifact(
        key=key_by_name("blocked", training_file),
        table=[
            {
                "conversation": reason.conversation_id or "(the request)",
                "code": reason.code,
                "reason": reason.reason,
                "path": reason.path or "",
            }
            for reason in blocked.reasons
        ],
        description=f"“{inline(training_file)}”, {counted(len(blocked.reasons), 'reason')}: "
        f"{blocked.advice} Then ask again.",
    )


def report_version(version: VersionRecord) -> None:
    """Record a summary with links to both downloads; each training file has one timeline."""
    create_markdown_artifact(
        key=artifact_key("training-file", version.training_file, version.training_file_id.hex),
        markdown=version_markdown(version),
        description=f"Version {version.number} of “{inline(version.training_file)}”",
    )


def report_exports(version: VersionRecord, exports: Sequence[StoredExport]) -> None:
    """Record a table of a version's exports, with links to download them."""
    create_markdown_artifact(
        key=artifact_key("exports", version.training_file, version.training_file_id.hex),
        markdown=exports_markdown(version, exports),
        description=f"Exports of version {version.number} of “{inline(version.training_file)}”",
    )


def report_plan(progress: PlanProgress) -> None:
    """Record a table of a plan's parts and the versions that they made."""
    plan = progress.plan
    create_table_artifact(
        key=key_by_name("plan", plan.request.name),
        table=[
            {
                "part": number,
                "conversations": plan.size_of(number),
                "version": progress.versions.get(number, ""),
            }
            for number in range(1, plan.part_count + 1)
        ],
        description=f"Plan {plan.request.request_id} on “{inline(plan.request.name)}”: "
        f"{plan.matched:,} match, {plan.in_file:,} are in the file already; "
        f"{progress.added:,} of {len(plan.conversation_ids):,} added.",
    )


def report_rebuild(rebuilt: Rebuilt) -> None:
    """Record the changes of bytes, pairs and quality since the version before."""
    create_table_artifact(
        key=artifact_key(
            "rebuild", rebuilt.version.training_file, rebuilt.version.training_file_id.hex
        ),
        table=[
            {
                "conversation": str(change.before.conversation_id),
                "sha256 before": change.before.json_sha256[:12],
                "sha256 now": change.after.json_sha256[:12],
                "pairs before": change.before.statistics.pair_count,
                "pairs now": change.after.statistics.pair_count,
                "quality before": f"{change.before.statistics.quality_mean:.2f}",
                "quality now": f"{change.after.statistics.quality_mean:.2f}",
            }
            for change in rebuilt.changed
        ],
        description=f"{counted(len(rebuilt.changed), 'conversation')} of "
        f"“{inline(rebuilt.version.training_file)}” changed in version {rebuilt.version.number}.",
    )


def report_rebuilds(states: Mapping[str, State[Any]]) -> None:
    create_table_artifact(
        key="rebuild-all",
        table=[
            {"training file": name, "state": state.name, "message": state.message or ""}
            for name, state in states.items()
        ],
        description="Each training file has its own run, with its reasons or changes.",
    )


def report_sweep(swept: Swept) -> None:
    """Record the objects that no version needs."""
    create_table_artifact(
        key="maintain",
        table=[{"object": key} for key in swept.objects],
        description=f"{counted(len(swept.objects), 'object')} that no version needs, "
        f"{swept.size_bytes:,} bytes; "
        f"{'removed' if swept.removed else 'only listed'}. "
        f"{counted(len(swept.released), 'version')} released. "
        f"{counted(swept.uploads, 'unfinished upload')} aborted. "
        f"Figures of {counted(swept.figures, 'conversation')} that no version holds.",
    )


def report_damage(damaged: Sequence[Damaged]) -> None:
    create_table_artifact(
        key="damaged",
        table=[
            {"training file": error.name, "version": error.version, "finding": finding}
            for error in damaged
            for finding in error.findings
        ],
        description="Stored objects differ from what their versions record. The rows in the "
        "database are unchanged. Restore the objects, or rebuild the training file with `whole`.",
    )


def version_markdown(version: VersionRecord) -> str:
    quality = quality_summary(version.statistics)
    minutes = resources.settings().download_link_lifetime.total_seconds() / 60
    command = f"trainfold download --format jsonl {_reference(version)}"
    lines = [
        f"# {inline(version.training_file)}, version {version.number}",
        "",
        f"{counted(version.conversation_count, 'conversation')}, "
        f"{counted(version.pair_count, 'training pair')}, "
        f"{counted(version.example_count, 'example')}. Made by {inline(version.created_by)} "
        f"({version.reason}).",
        "",
        "| download | bytes | digest |",
        "| --- | --- | --- |",
        *(_download_row(version, format) for format in ("json", "jsonl")),
        "",
        f"The links work for {minutes:g} minutes; after that: {code(command)}.",
        "",
        "| quality | |",
        "| --- | --- |",
        *(f"| {key} | {value} |" for key, value in quality.items()),
    ]
    if version.warnings:
        lines += ["", f"## Warnings: {len(version.warnings)}", ""]
        lines += ["| cause | conversations | places |", "| --- | --- | --- |"]
        causes = by_cause(version.warnings)
        lines += [
            f"| {inline(cause.message)} | {cause.conversations} | {cause.places} |"
            for cause in causes[:MAX_WARNINGS]
        ]
        if len(causes) > MAX_WARNINGS:
            lines += ["", f"and {len(causes) - MAX_WARNINGS} more: the version has all."]
        lines += ["", "| conversation | warning | times | first at |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {w.conversation_id} | {inline(w.message)} | {w.count} | {inline(w.path)} |"
            for w in version.warnings[:MAX_WARNINGS]
        ]
        if len(version.warnings) > MAX_WARNINGS:
            lines += ["", f"and {len(version.warnings) - MAX_WARNINGS} more: the version has all."]
    return "\n".join(lines)


def exports_markdown(version: VersionRecord, exports: Sequence[StoredExport]) -> str:
    minutes = resources.settings().download_link_lifetime.total_seconds() / 60
    command = f"trainfold export --format messages {_reference(version)}"
    lines = [
        f"# {inline(version.training_file)}, version {version.number}: exports",
        "",
        "| download | rows | bytes | sha256 |",
        "| --- | --- | --- | --- |",
        *(_export_row(version, export) for export in exports),
        "",
        f"The links work for {minutes:g} minutes; after that: {code(command)}.",
    ]
    return "\n".join(lines)


def _reference(version: VersionRecord) -> str:
    """Return a command's arguments for the version."""
    return f"--version {version.number} {as_argument(version.training_file)}"


def _export_row(version: VersionRecord, export: StoredExport) -> str:
    name = export_name(version, export.download_name)
    link = resources.training_files_store().download_link(
        export.key, file_name=name, lifetime=resources.settings().download_link_lifetime
    )
    return (
        f"| [{inline(name)}]({link}) | {export.row_count:,} | {export.size_bytes:,} "
        f"| `{export.sha256}` |"
    )


def _download_row(version: VersionRecord, format: Format) -> str:
    name = download_name(version, format)
    stored = version.stored(format)
    link = resources.training_files_store().download_link(
        stored.key, file_name=name, lifetime=resources.settings().download_link_lifetime
    )
    return f"| [{inline(name)}]({link}) | {stored.size_bytes:,} | `{stored.digest}` |"
