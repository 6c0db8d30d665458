"""Prefect tasks: operations with their policies (retries, results, names), and reports."""
