"""Compare fetching with a plain boto3 loop, and validating and rendering with orjson alone."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import orjson

from benchmarks import content
from benchmarks.measure import Figure, Report, Target, in_own_process
from domain.source.limits import Limits
from domain.versions.eligibility import EligibleConversation
from domain.versions.validation import validate
from operations import resources
from operations.reading import read_source
from operations.rebuild import THREADS
from storage.s3 import S3Store

MAX_BYTES = Limits().file_bytes


def run(*, files: int, repeats: int) -> Report:
    report: Report = in_own_process(_measure, files, repeats)
    return report


def _measure(files: int, repeats: int) -> Report:
    fetched = _fetching(files, repeats)
    rendered = _rendering(repeats)
    return Report(
        [*fetched, *rendered],
        [
            Target(
                f"fetch / bare boto3, {THREADS} threads",
                fetched[0].median / fetched[1].median,
                0.8,
                at_least=True,
            ),
            Target(
                "CPU of validate + render / of orjson loads + dumps",
                rendered[1].median / rendered[0].median,
                4,
            ),
        ],
    )


def _fetching(files: int, repeats: int) -> list[Figure]:
    """Measure megabytes per second, in turns, so that both have the same conditions."""
    store = resources.conversations_store()
    assert isinstance(store, S3Store)  # noqa: S101
    conversations = [content.eligible(id) for id in content.stored(files)]

    def ours(eligible: EligibleConversation) -> int:
        return len(read_source(store, eligible, max_bytes=MAX_BYTES))

    def bare(eligible: EligibleConversation) -> int:
        answer = store.client.get_object(Bucket=store.bucket, Key=eligible.object_key)
        return len(answer["Body"].read())

    def speed(read: Callable[[EligibleConversation], int]) -> float:
        with ThreadPoolExecutor(THREADS) as pool:
            start = time.perf_counter()
            size = sum(pool.map(read, conversations))
            return size / 1e6 / (time.perf_counter() - start)

    speed(bare)
    runs = [(speed(ours), speed(bare)) for _ in range(repeats)]
    return [
        Figure("fetch", "MB/s", tuple(run[0] for run in runs)),
        Figure("bare boto3", "MB/s", tuple(run[1] for run in runs)),
    ]


def _rendering(repeats: int) -> list[Figure]:
    """Measure megabytes of source per second of CPU."""
    ids = [uuid4() for _ in range(200)]
    work = [(content.conversation_file(id), content.eligible(id)) for id in ids]
    size = sum(len(data) for data, _ in work) / 1e6
    limits = Limits()

    def speed(process: Callable[[bytes, EligibleConversation], Any]) -> float:
        start = time.process_time()
        for data, eligible in work:
            process(data, eligible)
        return size / (time.process_time() - start)

    def ours(data: bytes, eligible: EligibleConversation) -> None:
        validate(data, eligible, limits=limits)

    def bare(data: bytes, _: EligibleConversation) -> None:
        orjson.dumps(orjson.loads(data))

    speed(ours)
    runs = [(speed(ours), speed(bare)) for _ in range(repeats)]
    return [
        Figure("validate + render", "MB/s of CPU", tuple(run[0] for run in runs)),
        Figure("orjson loads + dumps", "MB/s of CPU", tuple(run[1] for run in runs)),
    ]
