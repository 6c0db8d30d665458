"""The list of training files, and a page for each."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from console.addresses import training_file_name
from console.charts import scaffolding_distributions, tier_distribution
from console.context import runs
from console.pages.choosing import FILES_PER_PAGE, Find
from console.pages.dependencies import authenticate
from console.rendering import render
from db import versions as database
from db.engine import reading
from db.exports import newest_exports
from db.training_files import count_training_files, members_page, training_file_rows
from domain.errors import TrainfoldError
from domain.format import FORMATS
from domain.statistics import quality_summary
from domain.versions.naming import MAX_NAME_LENGTH
from domain.versions.requests import MAX_COMMENT_LENGTH
from operations import resources
from operations.keep import read_policy
from operations.stored_exports import possible_formats

MEMBERS_PER_PAGE = 50
MAX_RUNS = 20
router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/training-files")
def training_files(request: Request, find: Find = "", page: int = 1) -> Response:
    """Render the files a page at a time, or those whose name has a text."""
    with reading(resources.engine()) as connection:
        total = count_training_files(connection, text=find)
        pages = max(1, -(-total // FILES_PER_PAGE))
        page = min(max(page, 1), pages)
        files = training_file_rows(
            connection, text=find, limit=FILES_PER_PAGE, offset=(page - 1) * FILES_PER_PAGE
        )
    return render(
        request,
        "training_files.html",
        files=files,
        charts={file.id: scaffolding_distributions(file.statistics) for file in files},
        formats=FORMATS,
        find=find,
        total=total,
        page=page,
        pages=pages,
    )


@router.get("/training-files/{file}")
def training_file(request: Request, file: str, page: int = 1) -> Response:
    with reading(resources.engine()) as connection:
        name = training_file_name(connection, file)
        versions = database.versions(connection, name)
        (row,) = training_file_rows(connection, name)
        current = versions[0]
        pages = max(1, -(-current.conversation_count // MEMBERS_PER_PAGE))
        page = min(max(page, 1), pages)
        offset = (page - 1) * MEMBERS_PER_PAGE
        members = members_page(connection, current, limit=MEMBERS_PER_PAGE, offset=offset)
        exports = newest_exports(connection, current.training_file_id)
    _, policy = read_policy(resources.engine(), name)
    return render(
        request,
        "training_file.html",
        file=row,
        versions=versions,
        members=members,
        page=page,
        pages=pages,
        quality=quality_summary(current.statistics),
        charts=[
            *scaffolding_distributions(current.statistics),
            tier_distribution(current.statistics),
        ],
        formats=FORMATS,
        exports=exports,
        export_formats=possible_formats(),
        policy=policy,
        max_name_length=MAX_NAME_LENGTH,
        max_comment_length=MAX_COMMENT_LENGTH,
    )


@router.get("/training-files/{file}/runs")
def training_file_runs(request: Request, file: str) -> Response:
    """Render a training file's runs, as a part of its page or as a page."""
    with reading(resources.engine()) as connection:
        current = database.find_version(connection, training_file_name(connection, file))
    name = current.training_file
    try:
        touching, problem = runs().touching(name, limit=MAX_RUNS), None
    except TrainfoldError as error:
        # The rest of the page works without Prefect.
        touching, problem = [], str(error)
    template = "parts/runs.html" if "hx-request" in request.headers else "runs.html"
    return render(request, template, name=name, runs=touching, problem=problem)
