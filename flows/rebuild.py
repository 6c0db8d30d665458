"""Rebuild a training file from its sources."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote, unmapped

from domain.documents import rebuilt_document
from domain.requests import RebuildRequest
from domain.version import VersionRecord
from flows.ending import ended
from flows.form import Asker, RequestId, TrainingFileName
from flows.progress import show_progress
from flows.requesting import own_request_id
from flows.running import task_runner
from tasks.preconditions import check_preconditions
from tasks.rebuild import CHUNK, compare, plan, replace
from tasks.rebuilding import Rebuilt
from tasks.report import report_rebuild, report_result, report_version


@flow(name="rebuild-training-file", flow_run_name="{training_file}", task_runner=task_runner())
def rebuild_training_file(
    training_file: TrainingFileName,
    whole: bool = False,
    strict: bool = False,
    requested_by: Asker = "prefect",
    request_id: RequestId = "",
) -> object:
    """Read every conversation of a training file anew; a new version if anything changed.

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
    )
    return ended(training_file, lambda: rebuilt(run(request)))


def rebuilt(found: Rebuilt) -> State[Rebuilt]:
    """The end of a run that has its version, new or not."""
    number = found.version.number
    changed = [each.before.conversation_id for each in found.changed]
    report_result(rebuilt_document(found.version, is_new=found.is_new, changed=changed))
    if not found.is_new:
        message = f"Version {number} holds; nothing was written"
        return Completed(name="Unchanged", message=message, data=found)
    report_version(found.version)
    report_rebuild(found)
    message = f"Version {number}: {len(changed)} conversations changed"
    return Completed(message=message, data=found)


def run(request: RebuildRequest) -> Rebuilt:
    """Plan, compare in chunks, replace; raises Blocked with every reason."""
    check_preconditions()
    made = plan(request)
    if isinstance(made, VersionRecord):
        return Rebuilt(version=made, is_new=False, changed=())
    chunks = range((len(made.members) + CHUNK - 1) // CHUNK)
    compared = compare.map(list(chunks), unmapped(quote(made)), unmapped(request))
    show_progress(compared, f"chunks of {CHUNK} conversations compared")
    return replace(request, quote(compared.result()))
