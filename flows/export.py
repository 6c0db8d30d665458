"""Make exports of a version for trainers."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from domain.counting import counted
from domain.documents import export_document
from domain.exports import EXPORT_FORMATS, ExportFormat
from flows.form import Asker, ExportFormats, TrainingFileName, VersionOrCurrent
from flows.running import ended, task_runner
from operations.stored_exports import summary_of
from tasks.export import export, version_to_export
from tasks.report import report_exports, report_result
from tasks.upkeep import check_preconditions

ALL: ExportFormats = list(EXPORT_FORMATS)


@flow(name="export-version", flow_run_name="{training_file}", task_runner=task_runner())
def export_version(
    training_file: TrainingFileName,
    version: VersionOrCurrent = 0,
    formats: ExportFormats = ALL,
    requested_by: Asker = "prefect",
) -> object:
    """Make exports of a version once, and store them beside it.

    Args:
        training_file: Name of the training file, as in: Spring talks
        version: Number of the version; 0 for the current one.
        formats: What to make; what was made before is not made again.
        requested_by: Who asks; recorded on the exports.
    """
    return ended(training_file, lambda: run(training_file, version, formats, requested_by))


def run(
    training_file: str, number: int, formats: list[ExportFormat], requested_by: str
) -> State[Any]:
    """Make the exports and report them with links."""
    check_preconditions()
    version = version_to_export(training_file, number)
    exports = export(version, formats, requested_by)
    summary = summary_of(exports)
    report_exports(version, exports)
    report_result(export_document(version, summary, exports))
    made, answers = counted(len(exports), "export"), counted(summary.targets, "answer")
    message = f"Version {version.number}: {made} of {answers}"
    return Completed(message=message, data=exports)
