from collections.abc import Iterator

import pytest

from operations import resources
from soak.services import Services
from soak.stage import Stage, stage_on
from trainfold.stack import Stack


@pytest.fixture(scope="session")
def stage(stack: Stack) -> Iterator[Stage]:
    """The session's services with workers, proxies and a judge."""
    with stage_on(Services.of(resources.settings()), seed=1) as stage:
        yield stage


@pytest.fixture(scope="session")
def stage_with_prefect(stack: Stack, prefect_server: str) -> Iterator[Stage]:
    """The same, with workers that run flows on the session's Prefect server."""
    with stage_on(Services.of(resources.settings()), seed=2) as stage:
        yield stage
