"""Stacks on real processes, each in a temporary home that is stopped whatever happens."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from trainfold.stack import Service, Stack

DATA_SERVICES = (Service.POSTGRES, Service.S3)


@contextmanager
def temporary_home() -> Iterator[Path]:
    # Not tmp_path: as root its parents are closed to the user that PostgreSQL runs as.
    home = Path(tempfile.mkdtemp(prefix="tf-"))
    try:
        yield home
    finally:
        Stack(home).down(say=lambda _: None)
        shutil.rmtree(home)


def up(home: Path, *services: Service) -> list[str]:
    said: list[str] = []
    Stack(home).up(services or DATA_SERVICES, say=said.append)
    return said


def down(home: Path) -> list[str]:
    said: list[str] = []
    Stack(home).down(say=said.append)
    return said


def facts(home: Path) -> dict[str, Any]:
    return json.loads((home / "stack.json").read_text())


def running(home: Path) -> dict[Service, int]:
    return {each.service: each.pid for each in Stack(home).status() if each.running}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def s3_client(home: Path, **overrides: str):
    stack = facts(home)
    options = {
        "endpoint_url": stack["s3_endpoint_url"],
        "aws_access_key_id": stack["s3_access_key"],
        "aws_secret_access_key": stack["s3_secret_key"],
        "region_name": "us-east-1",
        "config": Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    }
    return boto3.client("s3", **(options | overrides))
