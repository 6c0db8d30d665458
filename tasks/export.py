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
from operations.making_exports import make_exports
from tasks.policies import retried


@task(
    name="find-version", task_run_name="find version {version}", **retried(3), cache_policy=NO_CACHE
)
def version_to_export(name: str, version: str) -> VersionRecord:
    """Return the version with this number or tag; raises NotFound."""
    with reading(resources.engine()) as connection:
        return find_stored_version(connection, name, version)


@task(name="export", task_run_name="export", **retried(3), cache_policy=NO_CACHE)
def export(
    version: VersionRecord, formats: Sequence[ExportFormat], validation: float, created_by: str
) -> list[StoredExport]:
    return make_exports(
        resources.engine(),
        resources.training_files_store(),
        version,
        formats,
        validation=validation,
        created_by=created_by,
    )
