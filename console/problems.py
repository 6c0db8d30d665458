"""Problem details (RFC 9457): how the HTTP API answers whatever does not succeed."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from domain.findings import Reason, shortened
from domain.frozen import FrozenModel

MEDIA_TYPE = "application/problem+json"
API_ROOT = "/api/v1/"
"""Requests below it are answered with problem details, all others with pages."""


class InvalidField(FrozenModel):
    """What is wrong with one part of a request: `body.training_file`, `query.limit`."""

    field: str
    message: str


class Problem(FrozenModel):
    """Why a request did not succeed. Clients tell problems apart by `type`."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """`about:blank` where the status says it all, else `urn:trainfold:problem:<name>`."""
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    """For people: what happened, what was left, what to do next."""
    blocked: tuple[Reason, ...] | SkipJsonSchema[None] = None
    """Every reason, where rules say no."""
    invalid: tuple[InvalidField, ...] | SkipJsonSchema[None] = None
    """Every part of the request that does not have the described form."""


def problem_response(
    status: int,
    detail: str,
    *,
    name: str | None = None,
    title: str | None = None,
    blocked: Sequence[Reason] | None = None,
    invalid: Sequence[InvalidField] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        type=f"urn:trainfold:problem:{name}" if name else "about:blank",
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        blocked=None if blocked is None else tuple(blocked),
        invalid=None if invalid is None else tuple(invalid),
    )
    # Only the lists are left out: a reason looks the same wherever it is.
    absent = {name for name in ("blocked", "invalid") if getattr(problem, name) is None}
    content = orjson.dumps(problem.model_dump(exclude=absent))
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)


def invalid_field(path: Sequence[str | int], message: str) -> InvalidField:
    """Name a part of a request by its path, in which a client may have written anything."""
    return InvalidField(field=shortened(".".join(map(str, path)), 200), message=message)
