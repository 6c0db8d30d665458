"""Pages of a list: `limit`, `offset`, and the address of the next page."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from console.api.parameters import Paging


def page_of(items: Sequence[Any], page: Paging, request: Request) -> dict[str, Any]:
    """Return a page's document; one item more than its limit says that there is a next page."""
    has_more = len(items) > page.limit
    return {
        "items": items[: page.limit],
        "next": next_page(request, page.offset + page.limit) if has_more else None,
    }


def next_page(request: Request, offset: int) -> str:
    """Return the address of the page that begins at `offset`, relative to the server's root."""
    url = request.url.include_query_params(offset=offset)
    return f"{url.path}?{url.query}"
