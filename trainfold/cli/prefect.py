"""Access to the Prefect server that a command uses, once it is ready."""

import os

from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.runs import Runs


def runs() -> Runs:
    return Runs(_url(), auth=_auth())


def api() -> PrefectApi:
    return PrefectApi(_url(), auth=_auth())


def run_page(run_id: object) -> str:
    """Return the address of a run's page in Prefect's UI."""
    return f"{_url().rstrip('/').removesuffix('/api')}/runs/flow-run/{run_id}"


def _url() -> str:
    return os.environ["PREFECT_API_URL"]


def _auth() -> str | None:
    return os.environ.get("PREFECT_API_AUTH_STRING")
