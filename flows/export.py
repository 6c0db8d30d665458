"""Make exports of a version for trainers."""

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from domain.counting import counted
from domain.documents import export_document
from domain.exports import EXPORT_FORMATS, ExportFormat
from domain.versions.tags import LATEST
from flows.form import (
    Asker,
    ExportFormats,
    TrainingFileName,
    ValidationShare,
    VersionReference,
)
from flows.running import ended, task_runner
from operations.stored_exports import summary_of
from tasks.export import export, version_to_export
from tasks.fitness import fitness, report_fitness
from tasks.report import report_exports, report_result
from tasks.upkeep import check_preconditions

ALL: ExportFormats = list(EXPORT_FORMATS)


@flow(name="export-version", flow_run_name="{training_file}", task_runner=task_runner())
def export_version(
    training_file: TrainingFileName,
    version: VersionReference = LATEST,
    formats: ExportFormats = ALL,
    validation: ValidationShare = 0,
    requested_by: Asker = "prefect",
) -> object:
    """Make exports of a version once, store them beside it, and report its fitness.

    Args:
        training_file: Name of the training file, as in: Spring talks
        version: Number of the version, or one of its tags; latest is the current one.
        formats: What to make; what was made before is not made again.
        validation: Share of answers that only validate, as in 0.1; 0 for no split. Sides are
            stored: a conversation never changes its side.
        requested_by: Who asks; recorded on the exports.
    """
    return ended(
        training_file, lambda: run(training_file, version, formats, validation, requested_by)
    )


def run(
    training_file: str,
    reference: str,
    formats: list[ExportFormat],
    validation: float,
    requested_by: str,
) -> State[Any]:
    """Make the exports and report them with links, then what trainers would learn from them."""
    check_preconditions()
    version = version_to_export(training_file, reference)
    exports = export(version, formats, validation, requested_by)
    summary = summary_of(exports)
    report_exports(version, exports)
    report_fitness(fitness(version))
    report_result(export_document(version, summary, exports))
    made, answers = counted(len(exports), "export"), counted(summary.targets, "answer")
    message = f"Version {version.number}: {made} of {answers}"
    return Completed(message=message, data=exports)
