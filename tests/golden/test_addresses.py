"""The console's addresses: methods, paths and the parameters of their queries.

`TRAINFOLD_GOLDEN=record python -m pytest tests/golden` records them.
"""

from typing import Any

from starlette.routing import Mount

from console.app import create_app
from console.settings import ConsoleSettings
from tests.golden.golden import compare


def query(operation: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    names = [f"{it['name']}=" for it in parameters if it["in"] == "query"]
    return f"?{'&'.join(names)}" if names else ""


def test_the_consoles_addresses():
    app = create_app(ConsoleSettings())
    found = [
        f"{method.upper()} {path}{query(operation)}"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]
    mounted = [f"MOUNT {route.path}" for route in app.routes if isinstance(route, Mount)]
    compare("addresses", sorted(found) + mounted)
