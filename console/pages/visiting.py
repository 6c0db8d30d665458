"""What pages ask for: the visitor, and a form of the visitor's."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from console.context import visitor
from console.security.forms import checked_form
from console.security.identity import Visitor


def visiting(request: Request) -> Visitor:
    found = visitor(request)
    request.state.visitor = found
    return found


def own_form(
    who: Annotated[Visitor, Depends(visiting)],  # noqa: ARG001 - first of all
    form: Annotated[FormData, Depends(checked_form)],
) -> FormData:
    return form


Visiting = Annotated[Visitor, Depends(visiting)]
OwnForm = Annotated[FormData, Depends(own_form)]
