"""Measure fitness reports: the first, one of stored figures, that of a version with a few more."""

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from uuid import UUID, uuid4

import orjson

from benchmarks import content
from benchmarks.measure import Cost, Figure, Meter, Report, in_own_process
from db.engine import reading
from db.versions import find_version
from domain.errors import NotFound
from domain.source.limits import Limits
from domain.versions.record import VersionRecord
from domain.versions.requests import AddRequest
from domain.versions.validation import validate
from operations import resources
from operations.add import make_version
from operations.fitness import fitness
from operations.splits import assigned_sides

ADDED = 80
STEP = 500
"""Conversations of one version while the file is made: memory holds their fragments."""
MIN_LETTERS = 4
TEXTS = ("current_user_input", "target_response")


def run(*, size: int) -> Report:
    name = f"Fitness of {size}"
    for _ in range(0, size, STEP):
        in_own_process(add, name, min(STEP, size))
    costs = {
        f"split of {size:,}": in_own_process(split, name),
        f"first report of {size:,}": in_own_process(report, name),
        f"report of {size:,} once figures are stored": in_own_process(report, name),
    }
    in_own_process(add, name, ADDED)
    costs[f"report after {ADDED} more, compared with the one before"] = in_own_process(report, name)
    return Report([figure for what, cost in costs.items() for figure in _figures(what, cost)])


def _figures(what: str, cost: Cost) -> list[Figure]:
    return [
        Figure(what, "s", (cost.wall_seconds,)),
        Figure(f"{what}: CPU", "s", (cost.cpu_seconds,)),
        Figure(f"{what}: peak memory", "MB", (cost.peak_bytes / 1e6,)),
    ]


def add(name: str, count: int) -> None:
    """Add new conversations to the training file, or make it with them."""
    ids = [uuid4() for _ in range(count)]
    content.register(ids)
    request = AddRequest(
        training_file=name,
        conversation_ids=tuple(ids),
        new=not _exists(name),
        requested_by="bench",
        request_id=str(uuid4()),
    )
    fragments = [validate(varied(id), content.eligible(id), limits=Limits()) for id in ids]
    make_version(
        resources.engine(),
        resources.training_files_store(),
        request,
        fragments,
        max_conversations=count,
    )


def split(name: str) -> Cost:
    return _measured(
        lambda: assigned_sides(
            resources.engine(), resources.training_files_store(), _current(name), validation=0.1
        )
    )


def report(name: str) -> Cost:
    return _measured(
        lambda: fitness(resources.engine(), resources.training_files_store(), _current(name))
    )


def varied(conversation_id: UUID) -> bytes:
    """Return a sample whose longer words are others, the same throughout the conversation."""
    value = orjson.loads(content.conversation_file(conversation_id))
    reworded = _rewording(conversation_id.int, _vocabulary())
    for pair in value["training_pairs"]:
        for key in TEXTS:
            pair[key] = reworded(pair[key]) if pair[key] else pair[key]
        for turn in pair["conversation_history"]:
            turn["content"] = reworded(turn["content"])
    return orjson.dumps(value)


def _rewording(seed: int, vocabulary: Sequence[str]) -> Callable[[str], str]:
    chance = random.Random(seed)  # noqa: S311 - the same conversation every time
    words: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        return words.setdefault(match[0], chance.choice(vocabulary))

    return lambda text: re.sub(rf"[A-Za-z]{{{MIN_LETTERS},}}", other, text)


@cache
def _vocabulary() -> tuple[str, ...]:
    words = re.findall(rf"[A-Za-z]{{{MIN_LETTERS},}}", b" ".join(content.templates()).decode())
    return tuple(sorted(set(words)))


def _measured(work: Callable[[], object]) -> Cost:
    meter = Meter()
    work()
    return meter.stop()


def _current(name: str) -> VersionRecord:
    with reading(resources.engine()) as connection:
        return find_version(connection, name)


def _exists(name: str) -> bool:
    try:
        return bool(_current(name))
    except NotFound:
        return False
