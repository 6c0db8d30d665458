"""Rebuild a training file from its sources."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote, unmapped

from domain.counting import counted
from domain.documents import rebuilt_document
from domain.versions.record import VersionRecord
from domain.versions.requests import RebuildRequest
from flows.form import Asker, RequestId, TrainingFileName
from flows.running import ended, own_request_id, own_run_id, show_progress, task_runner
from operations import resources
from operations.log import refusals_recorded
from operations.rebuild import Rebuilt
from tasks.rebuild import CHUNK, compare, plan, replace
from tasks.report import report_rebuild, report_result, report_version
from tasks.upkeep import check_preconditions


@flow(name="rebuild-training-file", flow_run_name="{training_file}", task_runner=task_runner())
def rebuild_training_file(
    training_file: TrainingFileName,
    whole: bool = False,
    strict: bool = False,
    requested_by: Asker = "prefect",
    request_id: RequestId = "",
) -> object:
    """Read every conversation of a training file again; make a new version if any has changed.

    Args:
        training_file: Name of the training file, as in: Spring talks
        whole: Write every conversation's bytes anew, even where no source has changed; for a
            version whose stored objects are damaged.
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made; 1 to 100 characters out of
            A-Z, a-z, 0-9, _ and -. Left out, it is the run's idempotency key, or its id.
    """
    request = RebuildRequest(
        training_file=training_file,
        whole=whole,
        strict=strict,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
        run_id=own_run_id(),
    )
    return ended(training_file, lambda: made(run(request)))


def made(rebuilt: Rebuilt) -> State[Rebuilt]:
    """Report the version, new or not, and return the run's final state."""
    number = rebuilt.version.number
    changed = [change.before.conversation_id for change in rebuilt.changed]
    report_result(
        rebuilt_document(
            rebuilt.version, is_new=rebuilt.is_new, changed=changed, damaged=rebuilt.damaged
        )
    )
    if not rebuilt.is_new:
        message = f"Version {number} is up to date; nothing was written{_damage(rebuilt)}"
        return Completed(name="Unchanged", message=message, data=rebuilt)
    report_version(rebuilt.version)
    report_rebuild(rebuilt)
    message = f"Version {number}: {counted(len(changed), 'conversation')} changed{_damage(rebuilt)}"
    return Completed(message=message, data=rebuilt)


def _damage(rebuilt: Rebuilt) -> str:
    """Say what a file that refuses damaged text holds of it from before."""
    count = len(rebuilt.damaged)
    return f"; {count} conversations in it have damaged text" if count else ""


def run(request: RebuildRequest) -> Rebuilt:
    """Run the tasks of a rebuild; raise Blocked with every reason."""
    check_preconditions()
    with refusals_recorded(resources.engine(), request, "rebuild"):
        planned = plan(request)
        if isinstance(planned, VersionRecord):
            return Rebuilt(version=planned, is_new=False, changed=())
        chunks = range((len(planned.members) + CHUNK - 1) // CHUNK)
        comparisons = compare.map(list(chunks), unmapped(quote(planned)), unmapped(request))
        show_progress(comparisons, f"chunks of {CHUNK} conversations compared")
        return replace(request, quote(comparisons.result()))
