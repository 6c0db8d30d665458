"""`doctor`: what of the set-up is sound, what is not, and what to do."""

from collections.abc import Iterator
from typing import Annotated

import typer

from domain.diagnosis import Check, Outcome, failures
from domain.documents import diagnosis_document
from domain.errors import TrainfoldError
from operations import resources
from operations.doctor.database import DatabaseFault, check_database
from operations.identity import Identity, read_identity
from operations.settings import SERVICES, ServiceName, home_directory, is_configured
from trainfold.cli import prefect
from trainfold.cli.exits import Exit
from trainfold.cli.output import Json, print_table, say, show
from trainfold.cli.ready import point_prefect_to_its_server
from trainfold.prefect_http.diagnosis import check_prefect
from trainfold.stack import SERVICES_BY_NAME, Service, Stack
from trainfold.stack.diagnosis import check_stack

OF_OWN_TABLES = {DatabaseFault.OPEN_TO_OTHERS, DatabaseFault.OWN_TABLES_CLOSED}
"""Their statements are for the role that ran the migration."""


def doctor(
    fix_sql: Annotated[
        bool, typer.Option("--fix-sql", help="Print only the SQL that is missing, for a person.")
    ] = False,
    json: Json = False,
) -> None:
    """Check the database, the object store, Prefect and the local stack; change nothing.

    Each line says what was seen, and what to do. Ends with 3 if a check failed.
    """
    if fix_sql:
        checks = check_database(resources.engine)
        print("\n".join(_sql(checks)))
    else:
        checks = [*_stack(), *_services()]
        show(diagnosis_document(checks), lambda: _print(checks))
    if failures(checks) and not fix_sql:
        raise typer.Exit(Exit.BLOCKED)


def say_failures() -> None:
    """Tell a person what of the database keeps trainfold from working."""
    for check in failures(check_database(resources.engine)):
        say(check.text)


def _stack() -> list[Check]:
    """Check the part of the local stack that stands in for what is not configured."""
    used = {SERVICES_BY_NAME[name] for name in SERVICES if not is_configured(name)}
    if Service.PREFECT in used:
        used.add(Service.WORKER)
    return list(check_stack(home_directory(), used)) if used else []


def _services() -> Iterator[Check]:
    """Check what is configured or runs; of a local service that is stopped, _stack says so."""
    from operations.doctor.store import (  # noqa: PLC0415 - boto3 takes long to import
        check_store,
        check_store_with_database,
    )

    database, store = _can_be_asked("database"), _can_be_asked("s3")
    if database:
        yield from check_database(resources.engine)
    if store:
        yield from check_store(resources.conversations_store(), resources.training_files_store())
    own = None
    if database and store and (own := _own_identity()):
        yield from check_store_with_database(resources.engine(), resources.training_files_store())
    if _can_be_asked("prefect"):
        point_prefect_to_its_server()
        yield from check_prefect(prefect.api(), own)


def _can_be_asked(name: ServiceName) -> bool:
    statuses = Stack(home_directory()).status()
    return is_configured(name) or any(
        status.running for status in statuses if status.service is SERVICES_BY_NAME[name]
    )


def _own_identity() -> Identity | None:
    """Return who this process works for; None where database or store do not say."""
    try:
        return read_identity(
            resources.engine(), resources.conversations_store(), resources.training_files_store()
        )
    except TrainfoldError:
        return None


def _print(checks: list[Check]) -> None:
    rows = [(check.outcome, check.name, check.finding, check.text) for check in checks]
    print_table(["state", "check", "finding", "what was seen, what to do"], rows, empty="")
    failed = len(failures(checks))
    warnings = sum(check.outcome is Outcome.WARNING for check in checks)
    say(f"{len(checks)} checks: {failed} failed, {warnings} warnings. See docs/doctor.md.")


def _sql(checks: list[Check]) -> Iterator[str]:
    """Yield statements under the finding that they mend; read them before they are run."""
    if checks[0].outcome is Outcome.FAILED:
        yield f"-- Not asked: {checks[0].text}"
        if checks[0].finding == DatabaseFault.REFUSED:
            yield "-- Where there is no such role: CREATE ROLE trainfold LOGIN PASSWORD '…';"
        return
    seen: set[str] = set()
    for check in checks:
        new = [statement for statement in check.sql if statement not in seen]
        if new:
            owner = "trainfold's" if check.finding in OF_OWN_TABLES else "the source"
            yield f"-- {check.finding}: as the owner of {owner} tables"
            yield from new
        seen.update(new)
    if not seen:
        yield "-- No statement is missing."
