"""What a model would learn from a training file's current version."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from console.addresses import training_file_name
from console.pages.dependencies import authenticate
from console.rendering import render
from db.engine import reading
from db.versions import find_version
from operations import resources
from operations.fitness import fitness, missing_figures
from operations.fitness_page import render_sections

MAX_COMPUTED = 100
"""Conversations that a page computes; a command computes more, and the page shows them then."""
MAX_CONVERSATIONS = 2_000
"""What a page adds up while somebody waits."""
router = APIRouter(dependencies=[Depends(authenticate)])


@router.get("/training-files/{file}/fitness")
def training_file_fitness(request: Request, file: str) -> Response:
    """Show the report, or say which command makes it where a page would take too long."""
    engine = resources.engine()
    with reading(engine) as connection:
        version = find_version(connection, training_file_name(connection, file))
        compared = [version]
        if version.number > 1:
            compared.append(find_version(connection, version.training_file, version.number - 1))
    stored = [each for each in compared if each.released_at is None]
    missing = sum(missing_figures(engine, each) for each in stored)
    sections = None
    if missing <= MAX_COMPUTED and version.conversation_count <= MAX_CONVERSATIONS:
        store = resources.training_files_store()
        sections = render_sections(fitness(engine, store, version))
    return render(request, "fitness.html", version=version, sections=sections)
