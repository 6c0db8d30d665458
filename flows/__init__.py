"""Prefect flows: orchestration that reads like a runbook."""
