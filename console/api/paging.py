"""Pages of a list: `limit`, `offset`, and the address of the next page."""

from starlette.requests import Request


def next_page(request: Request, offset: int) -> str:
    """Return the address of the page that begins at `offset`, relative to the server's root."""
    url = request.url.include_query_params(offset=offset)
    return f"{url.path}?{url.query}"
