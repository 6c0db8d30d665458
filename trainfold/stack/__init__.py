"""PostgreSQL, an S3 server and Prefect on one machine, each home directory for itself."""

from trainfold.stack.errors import StackError
from trainfold.stack.prefect_environment import prefect_environment
from trainfold.stack.services import Service, ServiceStatus
from trainfold.stack.stack import Stack

__all__ = ["Service", "ServiceStatus", "Stack", "StackError", "prefect_environment"]
