"""Training files: to choose from, one, its versions, and links to a version's files."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from console.addresses import training_file_name
from console.api import documents
from console.api.access import AUTHENTICATED
from console.api.errors import problems
from console.api.paging import page_of
from console.api.parameters import (
    Omittable,
    Paging,
    Parameters,
    TrainingFileSegment,
    VersionSegment,
)
from db import versions as database
from db.engine import reading
from db.training_files import training_file_choices, training_file_rows
from db.versions import find_stored_version, find_version, member_ids
from domain.documents import link_document, version_document
from domain.format import Format
from domain.versions.file_names import download_name
from domain.versions.record import VersionRecord
from operations import resources
from operations.documents import training_file_members_document

MAX_LINK_MINUTES = 7 * 24 * 60
router = APIRouter(tags=["training files"], dependencies=[AUTHENTICATED])


class LinkLifetime(Parameters):
    minutes: Omittable[Annotated[int, Field(ge=1, le=MAX_LINK_MINUTES)]] = Field(
        None, description="How long the link works; if left out, an hour unless set otherwise."
    )

    @property
    def lifetime(self) -> timedelta:
        configured = resources.settings().download_link_lifetime
        return timedelta(minutes=self.minutes) if self.minutes else configured


class LinkQuery(LinkLifetime):
    format: Format = Field(description="The full JSON, or the JSONL.")


@router.get("/training-files", response_model=documents.TrainingFiles, responses=problems())
def list_training_files() -> dict[str, Any]:
    """List all training files by name, for a dropdown. Only `active` ones can be added to."""
    with reading(resources.engine()) as connection:
        return {"items": training_file_choices(connection)}


@router.get(
    "/training-files/{training_file}",
    response_model=documents.TrainingFile,
    responses=problems(404),
)
def get_training_file(training_file: TrainingFileSegment) -> dict[str, Any]:
    """Show a training file: the numbers of its current version, and its conversations."""
    with reading(resources.engine()) as connection:
        version = _version(connection, training_file)
        (row,) = training_file_rows(connection, version.training_file)
        return training_file_members_document(row, member_ids(connection, version))


@router.get(
    "/training-files/{training_file}/versions",
    response_model=documents.Versions,
    responses=problems(404),
)
def list_versions(
    request: Request, training_file: TrainingFileSegment, page: Annotated[Paging, Query()]
) -> dict[str, Any]:
    """List the versions of a training file, newest first."""
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, training_file)
        versions = database.versions(connection, name, limit=page.limit + 1, offset=page.offset)
    return page_of([version_document(version) for version in versions], page, request)


@router.get(
    "/training-files/{training_file}/versions/{version}",
    response_model=documents.Version,
    responses=problems(404),
)
def get_version(training_file: TrainingFileSegment, version: VersionSegment) -> dict[str, Any]:
    """Show one version of a training file. It never changes."""
    with reading(resources.engine()) as connection:
        return version_document(_version(connection, training_file, version))


@router.get(
    "/training-files/{training_file}/versions/{version}/download-link",
    response_model=documents.DownloadLink,
    responses=problems(404),
)
def get_download_link(
    training_file: TrainingFileSegment,
    version: VersionSegment,
    query: Annotated[LinkQuery, Query()],
) -> dict[str, Any]:
    """Sign a link to one of a version's two files, which works without a token until it expires."""
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, training_file)
        record = find_stored_version(connection, name, version)
    link = resources.training_files_store().download_link(
        record.stored(query.format).key,
        file_name=download_name(record, query.format),
        lifetime=query.lifetime,
    )
    return link_document(link, query.lifetime)


def _version(connection: Connection, segment: str, version: str | None = None) -> VersionRecord:
    return find_version(connection, training_file_name(connection, segment), version)
