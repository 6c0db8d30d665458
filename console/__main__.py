"""`python -m console`: what the local stack starts."""

from console.serving import Serving
from console.settings import ConsoleSettings

Serving(ConsoleSettings()).run()
