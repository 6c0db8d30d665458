"""Resources that all trials share: services, writer processes, the proxies' thread, a judge."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from soak.crew import Crew
from soak.judge import Judge
from soak.proxy import ProxyThread
from soak.services import Services
from storage.store import ObjectStore


@dataclass(frozen=True)
class Stage:
    services: Services
    seed: int
    engine: Engine
    sources: ObjectStore
    files: ObjectStore
    crew: Crew
    proxies: ProxyThread
    crowd: threading.Lock = field(default_factory=threading.Lock)
    """Held by trials with many writers, as the database limits the number of connections."""

    @property
    def judge(self) -> Judge:
        return Judge(self.engine, self.files)


@contextmanager
def stage_on(services: Services, *, seed: int) -> Iterator[Stage]:
    """Set up a stage on running services, migrated and with both buckets."""
    engine = services.engine()
    sources, files = services.stores()
    proxies = ProxyThread()
    try:
        yield Stage(services, seed, engine, sources, files, Crew(), proxies)
    finally:
        proxies.close()
        engine.dispose()
