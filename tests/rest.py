"""Requests to the session's Prefect server by its callers: the one place with its password."""

import os

import httpx

from trainfold.prefect_http.client import PrefectApi
from trainfold.prefect_http.runs import Runs


def auth() -> str:
    """Return the `user:password` of the server that the fixture `prefect_server` started."""
    return os.environ["PREFECT_API_AUTH_STRING"]


def rest(url: str) -> httpx.Client:
    user, _, password = auth().partition(":")
    return httpx.Client(base_url=url, auth=(user, password), timeout=30, trust_env=False)


def api(url: str) -> PrefectApi:
    return PrefectApi(url, auth=auth())


def runs_of(url: str) -> Runs:
    return Runs(url, auth=auth())
