"""The local stack: PostgreSQL, an S3 server, Prefect, a worker and the console on one machine.

Each home directory has a stack of its own, apart from those of other homes.
"""

from trainfold.stack.errors import StackError
from trainfold.stack.options import Options
from trainfold.stack.prefect import prefect_environment
from trainfold.stack.services import SERVICES_BY_NAME, Service, ServiceStatus
from trainfold.stack.stack import Stack

__all__ = [
    "SERVICES_BY_NAME",
    "Options",
    "Service",
    "ServiceStatus",
    "Stack",
    "StackError",
    "prefect_environment",
]
