"""Exports of a version: make them, list what is stored, get links to download it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from console.addresses import training_file_name
from console.api import documents
from console.api.access import AUTHENTICATED, JSON_BODY, Caller
from console.api.errors import WITH_BODY, problems
from console.api.parameters import Omittable, TrainingFileSegment, VersionSegment
from console.api.selection import without_defaults
from console.api.training_files import LinkLifetime
from db.engine import reading
from db.exports import find_export, stored_exports
from db.versions import find_stored_version
from domain.documents import link_document, stored_exports_document
from domain.exports import EXPORT_FORMATS, ExportFormat, Split
from domain.frozen import FrozenModel
from domain.versions.file_names import export_name
from operations import resources
from operations.making_exports import make_exports, refuse_large

router = APIRouter(tags=["exports"], dependencies=[AUTHENTICATED])


class ExportLinkQuery(LinkLifetime):
    split: Omittable[Split] = Field(
        None,
        description="What `split` of the listed export is: a side, or `both` for Parquet with a "
        "column of sides; if left out, an export that was made without a split.",
    )


class Making(FrozenModel):
    """What to make of a version."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=without_defaults)

    formats: tuple[ExportFormat, ...] = Field(
        EXPORT_FORMATS,
        strict=False,
        min_length=1,
        max_length=len(EXPORT_FORMATS),
        description="Left out, all formats are made.",
    )
    validation: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of answers that only validate. Sides are stored: a conversation never "
        "changes its side. Left out, nothing is split.",
        examples=[0.1],
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


@router.post(
    "/training-files/{training_file}/versions/{version}/exports",
    response_model=documents.Exports,
    responses=problems(404, *WITH_BODY),
    dependencies=[JSON_BODY],
)
def make_version_exports(
    training_file: TrainingFileSegment, version: VersionSegment, making: Making, token: Caller
) -> dict[str, Any]:
    """Make exports that are missing, and list those that were asked for.

    The answer takes seconds; a version of more than 64 MiB of JSON is a worker's, and a 409 here.
    """
    engine, store = resources.engine(), resources.training_files_store()
    with reading(engine) as connection:
        name = training_file_name(connection, training_file)
        record = find_stored_version(connection, name, version)
    refuse_large(record)
    exports = make_exports(
        engine,
        store,
        record,
        making.formats,
        validation=making.validation,
        created_by=token.name,
    )
    return stored_exports_document(record, exports)


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
        export = find_export(connection, record, format, query.split)
    link = resources.training_files_store().download_link(
        export.key,
        file_name=export_name(record, export.download_name),
        lifetime=query.lifetime,
    )
    return link_document(link, query.lifetime)
