"""Training files: the list, and a page for each."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from console.charts import distributions, tiers
from console.context import runs
from console.pages.naming import named
from console.pages.visiting import visiting
from console.rendering import render
from db import versions as database
from db.engine import reading
from db.training_files import members_page, training_file_rows
from domain.documents import FORMATS
from domain.errors import TrainfoldError
from domain.statistics import quality_summary
from tasks import resources

PER_PAGE = 50
MOST_RUNS = 20
router = APIRouter(dependencies=[Depends(visiting)])


@router.get("/training-files")
def training_files(request: Request) -> Response:
    with reading(resources.engine()) as connection:
        files = training_file_rows(connection)
    charts = {file.id: distributions(file.statistics) for file in files}
    return render(request, "training_files.html", files=files, charts=charts, formats=FORMATS)


@router.get("/training-files/{file}")
def training_file(request: Request, file: str, page: int = 1) -> Response:
    with reading(resources.engine()) as connection:
        name = named(connection, file)
        versions = database.versions(connection, name)
        (row,) = training_file_rows(connection, name)
        current = versions[0]
        pages = max(1, -(-current.conversation_count // PER_PAGE))
        page = min(max(page, 1), pages)
        members = members_page(connection, current, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
    return render(
        request,
        "training_file.html",
        file=row,
        versions=versions,
        members=members,
        page=page,
        pages=pages,
        quality=quality_summary(current.statistics),
        charts=[*distributions(current.statistics), tiers(current.statistics)],
        formats=FORMATS,
    )


@router.get("/training-files/{file}/runs")
def runs_of(request: Request, file: str) -> Response:
    """The runs that touched it: a part of its page, or a page of its own."""
    with reading(resources.engine()) as connection:
        name = named(connection, file)
        current = database.find_version(connection, name)
    try:
        found, problem = runs().touching(current.training_file, limit=MOST_RUNS), None
    except TrainfoldError as error:
        # The rest of the page holds without Prefect.
        found, problem = [], str(error)
    template = "parts/runs.html" if "hx-request" in request.headers else "runs.html"
    return render(request, template, name=current.training_file, runs=found, problem=problem)
