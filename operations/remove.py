"""Remove conversations from a training file: a new version without them."""

import secrets

from sqlalchemy import Connection, Engine

from db.commit import PostgresVersionLog
from db.engine import current_time, reading
from db.history import footprints, statistics_without, training_file_status
from db.versions import find_version
from domain.versions.composing import Composition
from domain.versions.history import compose_removal, refuse_malformed_removal, refuse_removal
from domain.versions.record import VersionRecord
from domain.versions.requests import RemoveRequest
from operations.admission import unless_made
from operations.committing import commit_version
from operations.log import refusals_recorded
from storage.store import ObjectStore


def remove(engine: Engine, store: ObjectStore, request: RemoveRequest) -> VersionRecord:
    """Make the version without the named conversations, or return the one already made.

    Raises Blocked with every reason, NotFound, and what `commit_version` raises.
    """

    def propose() -> Composition | VersionRecord:
        with reading(engine) as connection:
            return unless_made(connection, request, lambda: _propose(connection, request))

    with refusals_recorded(engine, request, "remove"):
        refuse_malformed_removal(request)
        outcome = commit_version(PostgresVersionLog(engine), store, propose)
    return outcome.version if isinstance(outcome, Composition) else outcome


def _propose(connection: Connection, request: RemoveRequest) -> Composition:
    version = find_version(connection, request.training_file)
    members = footprints(connection, version)
    refuse_removal(request, version, training_file_status(connection, version), members)
    return compose_removal(
        request,
        version,
        members,
        statistics=statistics_without(connection, version, request.ids),
        now=current_time(connection),
        attempt=secrets.token_hex(4),
    )
