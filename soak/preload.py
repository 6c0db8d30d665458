"""Imported once, by the server that workers are forked from: what is slow to import or to build."""

import gc

from soak import worker
from storage.client import make_client

__all__ = ["worker"]

# boto3 keeps the parsed model of S3's API; the client itself connects to nothing.
make_client(endpoint_url="http://127.0.0.1:9", region="us-east-1", access_key="-", secret_key="-")  # noqa: S106
# Pages that no collection touches stay shared with every fork.
gc.collect()
gc.freeze()
