"""The console's web server."""

import gc
import sys

import uvicorn
from pydantic import SecretStr

from console.app import create_app
from console.settings import ConsoleSettings
from operations.settings import home_directory
from trainfold.stack.console import console_secrets, entry_link
from trainfold.stack.loopback import choose_ports

FAILED = 1
INTERRUPTED = 130
"""What shells give to a program that Ctrl+C ended."""


class ConsoleServer:
    """A console that is ready to serve; raises NotReady if strangers could reach it."""

    def __init__(self, settings: ConsoleSettings) -> None:
        (port,) = [settings.port] if settings.port else choose_ports([], count=1)
        # Stored in the home: a restart signs nobody out, and the link to enter stays the same.
        stored = console_secrets(home_directory())
        self._settings = settings.model_copy(
            update={
                "port": port,
                "secret": settings.secret or SecretStr(stored["secret"]),
                "key": settings.key or SecretStr(stored["key"]),
            }
        )
        self._app = create_app(self._settings)

    @property
    def address(self) -> str:
        host = self._settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}"

    @property
    def link(self) -> str:
        """Return the address to open, with the key if visitors enter by it."""
        settings = self._settings
        if settings.users_file or settings.proxy_header or settings.key is None:
            return self.address
        return entry_link(self.address, settings.key.get_secret_value())

    def run(self) -> None:
        """Serve until a signal ends this process."""
        # Objects loaded by now live as long as the process. Collecting them as garbage would delay
        # one page in twenty by a tenth of a second.
        gc.collect()
        gc.freeze()
        server = self.uvicorn_server()
        server.run()
        # uvicorn raises the signal that it was ended by again. Seen once in many: it was lost, and
        # an interrupted console said 0.
        sys.exit(INTERRUPTED if server.started else FAILED)

    def uvicorn_server(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._app,
            host=self._settings.host,
            port=self._settings.port,
            log_level="warning",
            server_header=False,
            # TRAINFOLD_CONSOLE_TRUSTED_PROXIES says which proxies are believed.
            proxy_headers=False,
        )
        return uvicorn.Server(config)
