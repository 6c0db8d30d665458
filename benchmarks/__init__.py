"""Measure what trainfold costs: `make bench`. docs/performance.md has the figures."""
