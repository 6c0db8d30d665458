"""`deploy`: make a Prefect server know the flows."""

import os

from operations import resources
from trainfold.cli import prefect
from trainfold.cli.output import Json, show, stdout
from trainfold.cli.ready import ready
from trainfold.prefect_http.registration import WORK_POOL, register


def deploy(json: Json = False) -> None:
    """Register the deployments, the work pool and the automations with the Prefect server.

    `up` does it for the local stack; a server of your own needs it after each new release.
    """
    ready("prefect")
    scheduled_rebuild = resources.settings().scheduled_rebuild
    names = register(prefect.api(), environment=os.environ, scheduled_rebuild=scheduled_rebuild)
    document = {
        "deployments": names,
        "work_pool": WORK_POOL,
        "scheduled_rebuild": scheduled_rebuild,
    }
    text = f"Registered in work pool {WORK_POOL}: {', '.join(names)}"
    show(document, lambda: stdout.print(text, highlight=False))
