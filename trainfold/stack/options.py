"""The options of a local stack."""

import ipaddress
from dataclasses import dataclass, field

from trainfold.stack.errors import StackError
from trainfold.stack.loopback import LOOPBACK

# A server listens on a wildcard address, but a client cannot connect to one.
_LOOPBACK_OF_WILDCARD = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - nothing binds to it here


@dataclass(frozen=True)
class Options:
    prefect_host: str = LOOPBACK
    """The address that Prefect's server listens on."""
    prefect_auth: str | None = field(default=None, repr=False)
    """The `user:password` that it requires; the home has a generated one."""
    scheduled_rebuild: bool = False
    """Whether all training files are rebuilt on a schedule."""

    def require_protection(self) -> None:
        """Raise StackError if strangers could reach Prefect, which runs what it is told to."""
        if not self.prefect_auth and not is_loopback(self.prefect_host):
            raise StackError(
                f"Prefect would listen on {self.prefect_host} without a password. Nothing was "
                "started. Set TRAINFOLD_PREFECT_AUTH=user:password, or leave out "
                "TRAINFOLD_PREFECT_HOST to listen on loopback."
            )
        if self.prefect_auth and ":" not in self.prefect_auth:
            raise StackError(
                "TRAINFOLD_PREFECT_AUTH is not of the form user:password. Nothing was started."
            )

    @property
    def prefect_address(self) -> str:
        """Return the host as it appears in the URLs of clients on this machine."""
        host = _LOOPBACK_OF_WILDCARD.get(self.prefect_host, self.prefect_host)
        return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Return whether a server on this host can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
