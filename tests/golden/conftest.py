"""Two journeys, each made once a session; tests compare what was kept of them."""

from pathlib import Path

import pytest

from tests.golden.journey import Journey
from tests.golden.steps import BATCHES, SAMPLES, STEPS, TALKS

CORPUS_BATCHES = {
    "batch-a": "5a3b0000-0000-4000-8000-00000000000a",
    "batch-b": "5a3b0000-0000-4000-8000-00000000000b",
    "batch-c": "5a3b0000-0000-4000-8000-00000000000c",
}


@pytest.fixture(scope="session")
def samples(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Fold, change and rebuild the bundled samples, and keep what every command prints."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / "samples").symlink_to(SAMPLES)
    journey = Journey(folder, BATCHES)
    journey.begin()
    for step in STEPS:
        step.take(journey)
    journey.keep(TALKS, 1, 2, 3, 4)
    return journey


@pytest.fixture(scope="session")
def corpus(shared: Path, prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Import 58 real conversations and add their batches b, a, c to one training file."""
    journey = Journey(tmp_path_factory.mktemp("corpus"), CORPUS_BATCHES)
    journey.begin()
    for batch in CORPUS_BATCHES:
        journey.run("import", str(shared / "corpus" / batch), "--batch", batch)
    for batch, new in (("batch-b", ["--new"]), ("batch-a", []), ("batch-c", [])):
        journey.run("add", "Corpus", "--batch", batch, *new)
    journey.ran["versions"] = journey.run("versions", "Corpus", "--json")
    journey.keep("Corpus", 1, 2, 3)
    return journey
