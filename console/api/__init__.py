"""The HTTP API for applications, at /api/v1: the console's operations as JSON."""
