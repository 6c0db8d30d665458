"""Prefect tasks: one IO call and its policy each."""
