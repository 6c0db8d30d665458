"""`python -m console`: what the local stack starts."""

from console.server import ConsoleServer
from console.settings import ConsoleSettings

ConsoleServer(ConsoleSettings()).run()
