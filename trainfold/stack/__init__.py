"""PostgreSQL, an S3 server, Prefect and a worker on one machine, each home for itself."""

from trainfold.stack.errors import StackError
from trainfold.stack.options import Options
from trainfold.stack.prefect_environment import prefect_environment
from trainfold.stack.services import Service, ServiceStatus
from trainfold.stack.stack import Stack

__all__ = ["Options", "Service", "ServiceStatus", "Stack", "StackError", "prefect_environment"]
