"""Roll a training file back: a new version with the content of an earlier one."""

import secrets

from sqlalchemy import Connection, Engine

from db.commit import PostgresVersionLog
from db.engine import current_time, reading
from db.history import members_of_one_only, training_file_status
from db.versions import find_stored_version, find_version
from domain.versions.composing import Composition
from domain.versions.history import compose_rollback, refuse_malformed_rollback, refuse_rollback
from domain.versions.record import VersionRecord
from domain.versions.requests import RollbackRequest
from operations.admission import unless_made
from operations.committing import commit_version
from operations.log import refusals_recorded
from storage.store import ObjectStore


def roll_back(engine: Engine, store: ObjectStore, request: RollbackRequest) -> VersionRecord:
    """Make the version with the earlier one's content, or return the one already made.

    Raises Blocked with every reason, NotFound, and what `commit_version` raises.
    """

    def propose() -> Composition | VersionRecord:
        with reading(engine) as connection:
            return unless_made(connection, request, lambda: _propose(connection, request))

    with refusals_recorded(engine, request, "rollback"):
        refuse_malformed_rollback(request)
        outcome = commit_version(PostgresVersionLog(engine), store, propose)
    return outcome.version if isinstance(outcome, Composition) else outcome


def _propose(connection: Connection, request: RollbackRequest) -> Composition:
    version = find_version(connection, request.training_file)
    target = find_stored_version(connection, request.training_file, request.to)
    refuse_rollback(version, training_file_status(connection, version), target)
    return compose_rollback(
        request,
        version,
        target,
        leaving=members_of_one_only(connection, version, target),
        returning=members_of_one_only(connection, target, version),
        now=current_time(connection),
        attempt=secrets.token_hex(4),
    )
