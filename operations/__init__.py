"""The use cases: one module each, called by tasks, console, command line and soak.

No Prefect, no HTTP, no Typer. A use case gathers facts from `db` and `storage`, calls `domain` to
judge and compose, and writes the outcome.
"""
