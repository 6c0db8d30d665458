"""Rebuild a training file from its sources."""

from prefect import flow
from prefect.states import Completed, Failed
from prefect.utilities.annotations import quote, unmapped

from domain.errors import Blocked
from domain.requests import RebuildRequest
from domain.version import VersionRecord
from flows.requesting import own_request_id
from tasks.preconditions import check_preconditions
from tasks.rebuild import CHUNK, compare, plan, replace
from tasks.rebuilding import Rebuilt
from tasks.report import report_blocked, report_rebuild, report_version


@flow(name="rebuild-training-file", flow_run_name="{training_file}")
def rebuild_training_file(
    training_file: str,
    whole: bool = False,
    strict: bool = False,
    requested_by: str = "prefect",
    request_id: str | None = None,
) -> object:
    """Read every conversation of a training file anew; a new version if anything changed.

    Args:
        training_file: Name of the training file.
        whole: Write every conversation's bytes anew, even where no source has changed; for a
            version whose stored objects are damaged.
        strict: Treat warnings as errors.
        requested_by: Who asks; recorded on the version.
        request_id: Makes a repeated request return the version it made. Default: this run's
            idempotency key, or its id.
    """
    request = RebuildRequest(
        training_file=training_file,
        whole=whole,
        strict=strict,
        requested_by=requested_by,
        request_id=request_id or own_request_id(),
    )
    try:
        rebuilt = run(request)
    except Blocked as blocked:
        report_blocked(training_file, blocked.reasons)
        return Failed(name="Blocked", message=str(blocked), data=blocked)
    if not rebuilt.is_new:
        message = f"Version {rebuilt.version.number} holds; nothing was written"
        return Completed(name="Unchanged", message=message, data=rebuilt)
    report_version(rebuilt.version)
    report_rebuild(rebuilt)
    message = f"Version {rebuilt.version.number}: {len(rebuilt.changed)} conversations changed"
    return Completed(message=message, data=rebuilt)


def run(request: RebuildRequest) -> Rebuilt:
    """Plan, compare in chunks, replace; raises Blocked with every reason."""
    check_preconditions()
    made = plan(request)
    if isinstance(made, VersionRecord):
        return Rebuilt(version=made, is_new=False, changed=())
    chunks = range((len(made.members) + CHUNK - 1) // CHUNK)
    compared = compare.map(list(chunks), unmapped(quote(made)), unmapped(request)).result()
    return replace(request, quote(compared))
