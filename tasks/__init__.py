"""Prefect tasks: an operation and its policy (retries, results, names) each; and the reports."""
