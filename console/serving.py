"""Serve the console."""

import gc
import secrets

import uvicorn
from pydantic import SecretStr

from console.app import create_app
from console.settings import ConsoleSettings
from operations.settings import home_directory
from trainfold.stack.home import PrivateJsonFile
from trainfold.stack.loopback import choose_ports


class Serving:
    """A console that is ready to be served; raises NotReady where strangers could reach it."""

    def __init__(self, settings: ConsoleSettings) -> None:
        (port,) = [settings.port] if settings.port else choose_ports([], count=1)
        self._settings = settings.model_copy(
            update={"port": port, "secret": settings.secret or _kept_secret()}
        )
        self._app = create_app(self._settings)

    @property
    def address(self) -> str:
        host = self._settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}"

    def run(self) -> None:
        """Serve until this process is told to end."""
        # What is loaded by now stays; looking through it for garbage would hold up a page in
        # twenty for a tenth of a second.
        gc.collect()
        gc.freeze()
        self.server.run()

    @property
    def server(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self._app,
            host=self._settings.host,
            port=self._settings.port,
            log_level="warning",
            server_header=False,
            # Whom to believe is our own setting.
            proxy_headers=False,
        )
        return uvicorn.Server(config)


def _kept_secret() -> SecretStr:
    """Signs cookies. Kept in the home, so that a restart signs nobody out."""
    home = home_directory()
    home.mkdir(parents=True, exist_ok=True)
    with PrivateJsonFile(home / "console.json").change() as content:
        secret: str = content.setdefault("secret", secrets.token_hex(32))
    return SecretStr(secret)
