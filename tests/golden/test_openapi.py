"""The OpenAPI description of the HTTP API, which applications generate their clients from.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records it.
"""

import re

from starlette.routing import Mount

from console.app import create_app
from console.settings import ConsoleSettings
from tests.golden.golden import compare


def test_the_description_of_the_http_api():
    app = create_app(ConsoleSettings())
    (api,) = [it.app for it in app.routes if isinstance(it, Mount) and it.path == "/api/v1"]
    description = api.openapi()
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", description["info"].pop("version"))
    compare("openapi", description)
