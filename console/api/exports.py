"""Exports of a version: what is stored, and links to download it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from console.addresses import training_file_name
from console.api import documents
from console.api.access import AUTHENTICATED
from console.api.errors import problems
from console.api.parameters import Omittable, TrainingFileSegment, VersionSegment
from console.api.training_files import LinkLifetime
from db.engine import reading
from db.exports import find_export, stored_exports
from db.versions import find_stored_version
from domain.documents import link_document, stored_exports_document
from domain.exports import ExportFormat, ExportPart, Side
from domain.versions.file_names import export_name
from operations import resources

router = APIRouter(tags=["exports"], dependencies=[AUTHENTICATED])


class ExportLinkQuery(LinkLifetime):
    split: Omittable[Side] = Field(
        None, description="A side of a validation split; if left out, all of the version."
    )


@router.get(
    "/training-files/{training_file}/versions/{version}/exports",
    response_model=documents.Exports,
    responses=problems(404),
)
def list_exports(training_file: TrainingFileSegment, version: VersionSegment) -> dict[str, Any]:
    """List the exports of a version that are stored."""
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, training_file)
        record = find_stored_version(connection, name, version)
        return stored_exports_document(record, stored_exports(connection, record))


@router.get(
    "/training-files/{training_file}/versions/{version}/exports/{format}/download-link",
    response_model=documents.DownloadLink,
    responses=problems(404),
)
def get_export_link(
    training_file: TrainingFileSegment,
    version: VersionSegment,
    format: ExportFormat,
    query: Annotated[ExportLinkQuery, Query()],
) -> dict[str, Any]:
    """Sign a link to a stored export, which works without a token until it expires."""
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, training_file)
        record = find_stored_version(connection, name, version)
        export = find_export(connection, record, ExportPart(format, query.split))
    link = resources.training_files_store().download_link(
        export.key,
        file_name=export_name(record, export.part.file_name),
        lifetime=query.lifetime,
    )
    return link_document(link, query.lifetime)
