"""Import and build everything slow once, in the server from which writer processes are forked."""

import gc

from soak import worker
from storage.client import make_client

__all__ = ["worker"]

# boto3 keeps the parsed model of S3's API; the client itself connects to nothing.
make_client(endpoint_url="http://127.0.0.1:9", region="us-east-1", access_key="-", secret_key="-")  # noqa: S106
# Memory pages that the garbage collector does not touch stay shared between the forks.
gc.collect()
gc.freeze()
