"""Adding 80 conversations to a file that holds M, beside the plain way of doing it."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from benchmarks import content
from benchmarks.measure import Bar, Cost, Figure, Meter, Report, in_own_process
from db.engine import reading
from db.versions import find_version
from domain.format.fragment import Fragment
from domain.versions.requests import AddRequest
from operations import resources
from operations.add import make_version
from storage.s3 import S3Store

ADDED = 80
STEP = 5_000
"""Conversations that are folded at once while a file is prepared."""


@dataclass(frozen=True)
class Measured:
    cost: Cost
    wire_bytes: int


def run(*, sizes: tuple[int, ...], plain_sizes: tuple[int, ...], repeats: int) -> Report:
    """Costs at each size, ours and the plain ones side by side."""
    ours: dict[int, list[Measured]] = {}
    plain: dict[tuple[str, int], list[Measured]] = {}
    for size in sizes:
        name = f"File of {size}"
        in_own_process(prepare, name, size)
        for _ in range(repeats):
            ours.setdefault(size, []).append(in_own_process(add, name))
            if size in plain_sizes:
                for way in PLAIN:
                    found = in_own_process(add_plainly, name, way)
                    plain.setdefault((way, size), []).append(found)
    figures = [figure for size in sizes for figure in _figures(f"add 80 to {size:,}", ours[size])]
    figures += [
        figure
        for (way, size), found in plain.items()
        for figure in _figures(f"add 80 to {size:,}, plainly with {way}", found)
    ]
    return Report(figures, list(_bars(figures, sizes, plain_sizes)))


def _figures(name: str, found: list[Measured]) -> Iterator[Figure]:
    yield Figure(f"{name}: wall", "s", tuple(each.cost.wall_seconds for each in found))
    yield Figure(f"{name}: CPU", "s", tuple(each.cost.cpu_seconds for each in found))
    yield Figure(f"{name}: peak memory", "MB", tuple(each.cost.peak_bytes / 1e6 for each in found))
    yield Figure(f"{name}: wire", "MB", tuple(each.wire_bytes / 1e6 for each in found))


def _bars(
    figures: list[Figure], sizes: tuple[int, ...], plain_sizes: tuple[int, ...]
) -> Iterator[Bar]:
    value = {figure.name: figure.median for figure in figures}
    small, large, middle = f"add 80 to {sizes[0]:,}", f"add 80 to {sizes[-1]:,}", plain_sizes[-1]
    yield Bar(
        f"CPU of the reduce at {sizes[-1]:,} / at {sizes[0]:,}",
        value[f"{large}: CPU"] / value[f"{small}: CPU"],
        1.5,
    )
    yield Bar(
        f"peak memory at {sizes[-1]:,} - at {sizes[0]:,}, in MB",
        value[f"{large}: peak memory"] - value[f"{small}: peak memory"],
        64,
    )
    for way in PLAIN:
        yield Bar(
            f"CPU of the plain way with {way} / ours, at {middle:,}",
            value[f"add 80 to {middle:,}, plainly with {way}: CPU"]
            / value[f"add 80 to {middle:,}: CPU"],
            10,
            at_least=True,
        )


def prepare(name: str, size: int) -> None:
    """Make a training file with that many conversations, whose sources nobody needs."""
    for start in range(0, size, STEP):
        _fold(name, _registered(min(STEP, size - start)), new=not start)


def add(name: str) -> Measured:
    """Measure the reduce of one request, as a worker does it; fragments are ready."""
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
    """Collect the sizes of all bodies that go to the store and come back."""
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


def add_plainly(name: str, way: str) -> Measured:
    """Download, parse, append, dump, upload: what one writes first. Records no version."""
    loads, dumps = PLAIN[way]
    with reading(resources.engine()) as connection:
        version = find_version(connection, name)
    fragments = content.fragments(ADDED)
    store = resources.training_files_store()
    assert isinstance(store, S3Store)  # noqa: S101
    with wire_bytes() as count:
        meter = Meter()
        full = loads(_download(store, version.full.key))
        full["conversations"] += [orjson.loads(fragment.full) for fragment in fragments]
        total = sum(len(each["training_pairs"]) for each in full["conversations"])
        metadata = full["training_file_metadata"]
        metadata["total_conversations"] = len(full["conversations"])
        metadata["total_training_pairs"] = total
        lines = _download(store, version.lines.key) + b"".join(each.lines for each in fragments)
        _upload(store, "plain.json", dumps(full))
        _upload(store, "plain.jsonl", lines)
        return Measured(meter.stop(), sum(count))


def _download(store: S3Store, key: str) -> bytes:
    return store.client.get_object(Bucket=store.bucket, Key=key)["Body"].read()


def _upload(store: S3Store, key: str, data: bytes) -> None:
    store.client.upload_fileobj(io.BytesIO(data), store.bucket, key)


PLAIN: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "orjson": (orjson.loads, lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2)),
    "json": (
        json.loads,
        lambda value: json.dumps(value, indent=2, ensure_ascii=False).encode(),
    ),
}
