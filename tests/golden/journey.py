"""A journey: commands that are run one after another on an empty database."""

import contextlib
import itertools
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import text

from tests.commands import Ran, run_here
from tests.conftest import emptied_bucket, emptied_database

FORMATS = ("json", "jsonl")


@dataclass(frozen=True)
class Journey:
    """A folder to run commands in, batches with fixed ids, and what each step printed."""

    folder: Path
    batches: Mapping[str, str]
    ran: dict[str, Ran] = field(default_factory=dict)
    objects: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """Downloads, by version and format."""

    def begin(self) -> None:
        """Make the batches in an empty database: `import` gives a new batch a random id.

        The bucket is emptied too: `maintain` counts the objects of other tests.
        """
        emptied_bucket()
        rows = [{"id": id, "name": name} for name, id in self.batches.items()]
        with emptied_database().begin() as connection:
            connection.execute(
                text("INSERT INTO trainfold.batch_jobs (id, name) VALUES (:id, :name)"), rows
            )

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> Ran:
        """Run a command in the folder and in this process, and restore the environment."""
        variables = patch.dict(os.environ, environment or {})
        with contextlib.chdir(self.folder), variables, _without_logs():
            return run_here(list(words))

    def keep(self, file: str, *versions: int) -> None:
        """Download both objects of these versions."""
        for version, format in itertools.product(versions, FORMATS):
            which = ("--version", str(version), "--format", format)
            ran = self.run("download", file, *which, "-o", "-")
            assert ran.code == 0, ran.err
            self.objects[version, format] = ran.out.encode()


@contextlib.contextmanager
def _without_logs() -> Iterator[None]:
    """Turn logging off: pytest would print Prefect's thousand lines after a diff."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class Step:
    """One command of a journey; `prepare` changes its folder or the store beforehand."""

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Journey], None] = lambda _: None
    environment: Mapping[str, str] = field(default_factory=dict)

    def take(self, journey: Journey) -> None:
        self.prepare(journey)
        journey.ran[self.name] = journey.run(*self.words, environment=self.environment)
