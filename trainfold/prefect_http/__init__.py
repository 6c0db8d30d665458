"""Prefect over its REST API, without importing Prefect: the import takes seconds."""
