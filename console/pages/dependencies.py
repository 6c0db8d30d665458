"""Dependencies of pages: an authenticated visitor, and a form of that visitor's session."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from console.context import console_context
from console.security.forms import checked_form
from console.security.identity import Visitor


def authenticate(request: Request) -> Visitor:
    """Return the request's visitor, and store it for the page; raise NotSignedIn or NotAllowed."""
    visitor = console_context(request).identity.visitor(request)
    request.state.visitor = visitor
    return visitor


def _visitors_form(
    visitor: Annotated[Visitor, Depends(authenticate)],  # noqa: ARG001 - authentication comes first
    form: Annotated[FormData, Depends(checked_form)],
) -> FormData:
    return form


AuthenticatedVisitor = Annotated[Visitor, Depends(authenticate)]
VisitorsForm = Annotated[FormData, Depends(_visitors_form)]
