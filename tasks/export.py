"""The tasks of an export: find the version, make its exports."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from db.engine import reading
from db.versions import find_stored_version
from domain.exports import ExportFormat
from domain.exports.stored import StoredExport
from domain.versions.record import VersionRecord
from operations import resources
from operations.stored_exports import ensure_exports
from tasks.policies import retried


@task(
    name="find-version", task_run_name="find version {number}", **retried(3), cache_policy=NO_CACHE
)
def version_to_export(name: str, number: int) -> VersionRecord:
    """Return the version with this number, or the current one for 0."""
    with reading(resources.engine()) as connection:
        return find_stored_version(connection, name, number or None)


@task(name="export", task_run_name="export", **retried(3), cache_policy=NO_CACHE)
def export(
    version: VersionRecord, formats: Sequence[ExportFormat], created_by: str
) -> list[StoredExport]:
    return ensure_exports(
        resources.engine(),
        resources.training_files_store(),
        version,
        formats,
        created_by=created_by,
    )
