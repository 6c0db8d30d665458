"""Settings of the console: `TRAINFOLD_CONSOLE_<NAME>` in the environment."""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import SettingsConfigDict

from domain.errors import NotReady
from operations.environment import Duration, EnvironmentSettings, Host

LOOPBACK_NETWORKS = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
)


class ConsoleSettings(EnvironmentSettings):
    model_config = SettingsConfigDict(env_prefix="TRAINFOLD_CONSOLE_", frozen=True, extra="ignore")

    host: Host = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535, description="a port from 0 to 65535")
    """0 chooses a free one."""
    users_file: Path | None = None
    proxy_header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]+$", description="a header's name as in X-Forwarded-User"
    )
    key: SecretStr | None = None
    """Lets in whoever has it, as the user who runs the console; without users or a proxy."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        LOOPBACK_NETWORKS, description='a JSON list of networks as in ["10.0.0.0/8"]'
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description='a JSON list of hosts as in ["console.example"]'
    )
    secret: SecretStr | None = None
    session_lifetime: Duration = Field(
        timedelta(hours=12),
        ge=timedelta(seconds=1),
        description="a time in seconds, or in ISO 8601 as in PT12H",
    )
    downloads: Literal["stream", "link"] = Field("stream", description="stream or link")
    api_requests_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="a whole number from 1 to 1,000,000"
    )
    """Of each token."""

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def require_authentication(self) -> None:
        """Raise NotReady if strangers could reach pages that do not authenticate visitors."""
        if self.users_file and self.proxy_header:
            raise NotReady(
                "Both TRAINFOLD_CONSOLE_USERS_FILE and TRAINFOLD_CONSOLE_PROXY_HEADER are set. "
                "Nothing was started. Choose one way to authenticate users."
            )
        if not (self.is_loopback or self.users_file or self.proxy_header):
            raise NotReady(
                f"Off loopback ({self.host}) the console needs authentication. Nothing was "
                "started. Set TRAINFOLD_CONSOLE_USERS_FILE (`trainfold console-user NAME` prints "
                "its lines) or TRAINFOLD_CONSOLE_PROXY_HEADER, or listen on 127.0.0.1."
            )
