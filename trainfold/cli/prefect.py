"""Access to the Prefect server that a command uses, once it is ready."""

import os
from datetime import timedelta

from trainfold.cli.output import say
from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.runs import Runs

PATIENCE = timedelta(minutes=5)
"""A hundred submissions at once kept Prefect on SQLite busy for two minutes, on two busy cores."""


def runs() -> Runs:
    return Runs(_url(), auth=_auth(), patience=PATIENCE, say_waiting=say)


def api() -> PrefectApi:
    return PrefectApi(_url(), auth=_auth())


def run_page(run_id: object) -> str:
    """Return the address of a run's page in Prefect's UI."""
    return f"{_url().rstrip('/').removesuffix('/api')}/runs/flow-run/{run_id}"


def _url() -> str:
    return os.environ["PREFECT_API_URL"]


def _auth() -> str | None:
    return os.environ.get("PREFECT_API_AUTH_STRING")
