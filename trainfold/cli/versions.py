"""`check`, `add`, `rebuild`: ask for a new version."""

from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from db.engine import reading
from db.versions import find_version
from domain.counting import counted
from domain.documents import admitted_document, rebuilt_document, version_document
from domain.findings import Cause, by_cause
from domain.statistics import quality_summary
from domain.versions.naming import as_argument
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from operations import preview, resources
from operations.admission import decide
from operations.log import refusals_recorded
from storage.store import ObjectStore
from trainfold.cli.output import Json, print_facts, print_table, say, show, stderr, stdout
from trainfold.cli.plans import (
    OneVersion,
    Resume,
    Where,
    Yes,
    add_matching,
    check_matching,
    plan_request,
)
from trainfold.cli.plans import resume as resume_plan
from trainfold.cli.ready import ready
from trainfold.cli.selection import (
    BatchOption,
    File,
    IdArguments,
    IdsFromOption,
    require_quoted_name,
    selected_ids,
)
from trainfold.cli.user import current_user

FileOrNone = Annotated[
    str | None, typer.Argument(metavar="FILE", help="Name of the training file.")
]
New = Annotated[bool, typer.Option("--new", help="Create the training file.")]
DescriptionOption = Annotated[
    str, typer.Option("--description", help="Purpose of a new training file.")
]
RequestId = Annotated[
    str | None, typer.Option(help="A request with the same id is carried out only once.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")]
AskedBy = Annotated[str | None, typer.Option("--as", help="Your name; the version records it.")]


def check(
    file: File,
    ids: IdArguments = None,
    batch: BatchOption = None,
    ids_from: IdsFromOption = None,
    where: Where = None,
    new: New = False,
    json: Json = False,
) -> None:
    """Ask the gate whether these conversations may be added; submit and write nothing.

    Their files are read only where the training file refuses damaged text.
    """
    ready("database")
    if where:
        _require_alone("--where", ids, batch, ids_from)
        check_matching(plan_request(file, where, new=new))
        return
    require_quoted_name(file, ids)
    request = AddRequest(
        training_file=file,
        conversation_ids=tuple(selected_ids(ids, batch, ids_from)),
        new=new,
        requested_by=current_user(),
        request_id=str(uuid4()),
    )
    admission = preview.check(
        resources.engine(), _conversations, request, limits=resources.settings().limits
    )
    count = len(admission.conversations)
    document = admitted_document(request, admission)
    what = "The conversation" if count == 1 else f"All {count} conversations"
    show(document, lambda: stdout.print(f"{what} may be added."))


def _conversations() -> ObjectStore:
    ready("s3")
    return resources.conversations_store()


def add(
    file: FileOrNone = None,
    ids: IdArguments = None,
    batch: BatchOption = None,
    ids_from: IdsFromOption = None,
    where: Where = None,
    resume: Resume = None,
    one_version: OneVersion = False,
    yes: Yes = False,
    new: New = False,
    description: DescriptionOption = "",
    request_id: RequestId = None,
    strict: Strict = False,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Fold conversations into a training file (or a new one) and record a version.

    The gate is asked first: if it blocks a conversation, nothing is submitted. --where adds all
    that match, in parts of 80 that are a version each; --resume goes on where such a plan stopped.
    """
    _require_one_way(file, ids, batch, ids_from, where=where, resume=resume)
    if one_version and not where:
        raise typer.BadParameter("--one-version goes with --where")
    ready("database", "s3")
    if resume:
        resume_plan(resume)
        return
    file = file or ""
    if where:
        asked = plan_request(
            file,
            where,
            new=new,
            description=description,
            one_version=one_version,
            strict=strict,
            requested_by=requested_by,
            request_id=request_id,
        )
        add_matching(asked, yes=yes)
        return
    request = add_request(
        file,
        ids,
        batch,
        ids_from,
        new=new,
        description=description,
        request_id=request_id,
        strict=strict,
        requested_by=requested_by,
    )
    if not show_if_made_before(request):
        ready("prefect")
        show_version(run_add(request))


def _require_one_way(
    file: str | None,
    ids: list[str] | None,
    batch: str | None,
    ids_from: str | None,
    *,
    where: list[str] | None,
    resume: str | None,
) -> None:
    """Refuse a mixture of the ways to say which conversations are added."""
    if resume:
        _require_alone("--resume", ids, batch, ids_from, file, where)
    elif not file:
        raise typer.BadParameter("give the training file's name", param_hint="FILE")
    elif where:
        _require_alone("--where", ids, batch, ids_from)


def _require_alone(option: str, *others: object) -> None:
    if any(others):
        raise typer.BadParameter(f"{option} already says which conversations; give nothing else")


def add_request(
    file: str,
    ids: list[str] | None,
    batch: str | None,
    ids_from: str | None,
    *,
    new: bool,
    description: str,
    request_id: str | None,
    strict: bool,
    requested_by: str | None,
) -> AddRequest:
    """Build the request that the options of `add` and `submit` describe."""
    require_quoted_name(file, ids)
    return AddRequest(
        training_file=file,
        conversation_ids=tuple(selected_ids(ids, batch, ids_from)),
        new=new,
        description=description,
        strict=strict,
        requested_by=requested_by or current_user(),
        request_id=request_id or str(uuid4()),
    )


def show_if_made_before(request: AddRequest) -> bool:
    """Show the version that this request already made, if any; raise Blocked as the gate does."""
    engine = resources.engine()
    with refusals_recorded(engine, request, request.action), reading(engine) as connection:
        decision = decide(connection, request)
    if not isinstance(decision, VersionRecord):
        return False
    say(f"The request {request.request_id} was carried out before; nothing was changed.")
    show_version(decision)
    return True


def run_add(request: AddRequest) -> VersionRecord:
    """Run the flow in this process, tracked by the Prefect server; raise its error if it fails."""
    from flows.add_conversations import add_conversations  # noqa: PLC0415 - imports Prefect

    count = len(request.conversation_ids)
    with stderr.status(f"Folding {counted(count, 'conversation')} into “{request.name}” …"):
        state: Any = add_conversations(
            **request.model_dump(exclude={"conversation_ids", "run_id"}),
            conversation_ids=list(map(str, request.conversation_ids)),
            return_state=True,
        )
    version: VersionRecord = state.result()
    return version


def rebuild(
    file: File,
    whole: Annotated[
        bool, typer.Option("--whole", help="Rewrite all conversations; repairs damage.")
    ] = False,
    request_id: RequestId = None,
    strict: Strict = False,
    requested_by: AskedBy = None,
    json: Json = False,
) -> None:
    """Read all conversations of a training file again; make a new version if any has changed.

    A conversation that is gone or no longer eligible blocks the rebuild, and the current version
    stays in place.
    """
    ready("database", "s3", "prefect")
    with reading(resources.engine()) as connection:
        current = find_version(connection, file)
    from flows.rebuild import rebuild_training_file  # noqa: PLC0415 - imports Prefect

    with stderr.status(f"Rebuilding “{current.training_file}” …"):
        state: Any = rebuild_training_file(
            current.training_file,
            whole=whole,
            strict=strict,
            requested_by=requested_by or current_user(),
            request_id=request_id or str(uuid4()),
            return_state=True,
        )
    rebuilt = state.result()
    changed = [change.before.conversation_id for change in rebuilt.changed]
    document = rebuilt_document(
        rebuilt.version, is_new=rebuilt.is_new, changed=changed, damaged=rebuilt.damaged
    )
    show(document, lambda: _print_rebuilt(rebuilt.version, changed, is_new=rebuilt.is_new))


def _print_rebuilt(version: VersionRecord, changed: list[UUID], *, is_new: bool) -> None:
    if is_new:
        _print_version(version)
        print_table(["changed conversation"], ([str(id)] for id in changed), empty="")
    else:
        name = version.training_file
        text = f"Version {version.number} of “{name}” is up to date; nothing was written."
        stdout.print(text)


def show_version(version: VersionRecord) -> None:
    show(version_document(version), lambda: _print_version(version))


def _print_version(version: VersionRecord) -> None:
    facts: list[tuple[str, object]] = [
        ("training file", version.training_file),
        ("version", f"{version.number} ({version.reason}, by {version.created_by})"),
        *([("restores", f"version {version.restores}")] if version.restores else []),
        *([("reason", version.comment)] if version.comment else []),
        ("conversations", version.conversation_count),
        ("training pairs", version.pair_count),
        ("examples", version.example_count),
        ("quality", _quality(version)),
        ("full JSON", f"{version.full.key} ({version.full.size_bytes:,} bytes)"),
        ("JSONL", f"{version.lines.key} ({version.lines.size_bytes:,} bytes)"),
        ("warnings", len(version.warnings)),
    ]
    print_facts(facts)
    if version.warnings:
        stdout.print()
        _print_warnings(version)
    name = as_argument(version.training_file)
    say(f"Next: trainfold download --format jsonl {name}; trainfold versions {name}")


def _quality(version: VersionRecord) -> str:
    quality = quality_summary(version.statistics)
    return (
        f"{quality['avg_quality_score']:.2f} on average "
        f"({quality['min_quality_score']:g} to {quality['max_quality_score']:g}), "
        f"{quality['human_reviewed_percentage']:.0f} % of pairs reviewed by people"
    )


def _print_warnings(version: VersionRecord) -> None:
    rows = [
        (cause.conversations, cause.places, cause.message, _first_place(cause))
        for cause in by_cause(version.warnings)
    ]
    print_table(["#conversations", "#places", "warning", "first at"], rows, empty="")
    say("`--json` lists every conversation of each warning.")


def _first_place(cause: Cause) -> str:
    return f"{cause.warnings[0].conversation_id} {cause.warnings[0].path}"
