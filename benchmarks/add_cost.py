"""Compare an add of 80 conversations to a file of M with a naive implementation."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from benchmarks import content
from benchmarks.measure import Cost, Figure, Meter, Report, Target, in_own_process
from db.engine import reading
from db.versions import find_version
from domain.format.fragment import Fragment
from domain.versions.requests import AddRequest
from operations import resources
from operations.add import make_version
from storage.s3 import S3Store

ADDED = 80
STEP = 5_000
"""Number of conversations per request while a file is prepared."""


@dataclass(frozen=True)
class Measured:
    cost: Cost
    wire_bytes: int


def run(*, sizes: tuple[int, ...], naive_sizes: tuple[int, ...], repeats: int) -> Report:
    """Measure the cost at each size, ours and the naive ones in turn."""
    ours: dict[int, list[Measured]] = {}
    naive: dict[tuple[str, int], list[Measured]] = {}
    for size in sizes:
        name = f"File of {size}"
        in_own_process(prepare, name, size)
        for _ in range(repeats):
            ours.setdefault(size, []).append(in_own_process(add, name))
            if size in naive_sizes:
                for library in LIBRARIES:
                    measured = in_own_process(add_naively, name, library)
                    naive.setdefault((library, size), []).append(measured)
    figures = [figure for size in sizes for figure in _figures(f"add 80 to {size:,}", ours[size])]
    figures += [
        figure
        for (library, size), runs in naive.items()
        for figure in _figures(f"add 80 to {size:,}, naively with {library}", runs)
    ]
    return Report(figures, list(_targets(figures, sizes, naive_sizes)))


def _figures(name: str, runs: list[Measured]) -> Iterator[Figure]:
    yield Figure(f"{name}: wall", "s", tuple(run.cost.wall_seconds for run in runs))
    yield Figure(f"{name}: CPU", "s", tuple(run.cost.cpu_seconds for run in runs))
    yield Figure(f"{name}: peak memory", "MB", tuple(run.cost.peak_bytes / 1e6 for run in runs))
    yield Figure(f"{name}: wire", "MB", tuple(run.wire_bytes / 1e6 for run in runs))


def _targets(
    figures: list[Figure], sizes: tuple[int, ...], naive_sizes: tuple[int, ...]
) -> Iterator[Target]:
    value = {figure.name: figure.median for figure in figures}
    small, large, middle = f"add 80 to {sizes[0]:,}", f"add 80 to {sizes[-1]:,}", naive_sizes[-1]
    yield Target(
        f"CPU of the reduce at {sizes[-1]:,} / at {sizes[0]:,}",
        value[f"{large}: CPU"] / value[f"{small}: CPU"],
        1.5,
    )
    yield Target(
        f"peak memory at {sizes[-1]:,} - at {sizes[0]:,}, in MB",
        value[f"{large}: peak memory"] - value[f"{small}: peak memory"],
        64,
    )
    for library in LIBRARIES:
        yield Target(
            f"CPU of the naive add with {library} / ours, at {middle:,}",
            value[f"add 80 to {middle:,}, naively with {library}: CPU"]
            / value[f"add 80 to {middle:,}: CPU"],
            10,
            at_least=True,
        )


def prepare(name: str, size: int) -> None:
    """Make a training file with `size` conversations that have no source files."""
    for start in range(0, size, STEP):
        _fold(name, _registered(min(STEP, size - start)), new=not start)


def add(name: str) -> Measured:
    """Measure the reduce step of one request, whose fragments are ready."""
    fragments = _registered(ADDED)
    with wire_bytes() as count:
        meter = Meter()
        _fold(name, fragments, new=False)
        return Measured(meter.stop(), sum(count))


def _registered(count: int) -> list[Fragment]:
    fragments = content.fragments(count)
    content.register([fragment.conversation_id for fragment in fragments])
    return fragments


def _fold(name: str, fragments: list[Fragment], *, new: bool) -> None:
    request = AddRequest(
        training_file=name,
        conversation_ids=tuple(fragment.conversation_id for fragment in fragments),
        new=new,
        requested_by="bench",
        request_id=str(uuid4()),
    )
    make_version(
        resources.engine(),
        resources.training_files_store(),
        request,
        fragments,
        max_conversations=STEP,
    )


@contextmanager
def wire_bytes() -> Iterator[list[int]]:
    """Collect the sizes of all bodies that are sent to the store and received from it."""
    store = resources.training_files_store()
    assert isinstance(store, S3Store)  # noqa: S101
    events = store.client.meta.events
    sizes: list[int] = []

    def sent(request: Any, **_: object) -> None:
        sizes.append(int(request.headers.get("Content-Length", 0)))

    def received(http_response: Any, model: Any, **_: object) -> None:
        if model.name != "HeadObject":
            sizes.append(int(http_response.headers.get("Content-Length", 0)))

    events.register("before-send.s3", sent)
    events.register("after-call.s3", received)
    try:
        yield sizes
    finally:
        events.unregister("before-send.s3", sent)
        events.unregister("after-call.s3", received)


def add_naively(name: str, library: str) -> Measured:
    """Download, parse, append, dump and upload; record no version."""
    loads, dumps = LIBRARIES[library]
    with reading(resources.engine()) as connection:
        version = find_version(connection, name)
    fragments = content.fragments(ADDED)
    store = resources.training_files_store()
    assert isinstance(store, S3Store)  # noqa: S101
    with wire_bytes() as count:
        meter = Meter()
        full = loads(_download(store, version.full.key))
        full["conversations"] += [orjson.loads(fragment.full) for fragment in fragments]
        total = sum(len(value["training_pairs"]) for value in full["conversations"])
        metadata = full["training_file_metadata"]
        metadata["total_conversations"] = len(full["conversations"])
        metadata["total_training_pairs"] = total
        new_lines = b"".join(fragment.lines for fragment in fragments)
        _upload(store, "naive.json", dumps(full))
        _upload(store, "naive.jsonl", _download(store, version.lines.key) + new_lines)
        return Measured(meter.stop(), sum(count))


def _download(store: S3Store, key: str) -> bytes:
    return store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read()


def _upload(store: S3Store, key: str, data: bytes) -> None:
    store.client.upload_fileobj(io.BytesIO(data), store.bucket, key)


LIBRARIES: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "orjson": (orjson.loads, lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2)),
    "json": (
        json.loads,
        lambda value: json.dumps(value, indent=2, ensure_ascii=False).encode(),
    ),
}
