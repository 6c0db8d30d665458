"""Resources that all trials share: services, writer processes, the proxies' thread, a judge."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from soak.crew import Crew
from soak.judge import Judge
from soak.local_stack import SERVICES
from soak.own_stack import PREFECT, OwnStack
from soak.proxy import ProxyThread
from soak.services import Services
from storage.s3 import S3Store


@dataclass(frozen=True)
class Stage:
    services: Services
    seed: int
    engine: Engine
    sources: S3Store
    files: S3Store
    crew: Crew
    proxies: ProxyThread
    crowd: threading.Lock = field(default_factory=threading.Lock)
    """Held by trials with many writers, as the database limits the number of connections."""
    own_stack: OwnStack = field(default_factory=OwnStack)
    own_prefect: OwnStack = field(default_factory=lambda: OwnStack((*SERVICES, *PREFECT)))

    @property
    def judge(self) -> Judge:
        return Judge(self.engine, self.files)


@contextmanager
def stage_on(services: Services, *, seed: int, with_flows: bool = False) -> Iterator[Stage]:
    """Set up a stage on running services, migrated and with both buckets."""
    engine = services.engine()
    sources, files = services.stores()
    proxies = ProxyThread()
    stage = Stage(services, seed, engine, sources, files, Crew(with_flows=with_flows), proxies)
    try:
        yield stage
    finally:
        stage.own_stack.close()
        stage.own_prefect.close()
        proxies.close()
        engine.dispose()
