"""What trainfold costs: `make bench`. Figures and what they mean are in docs/performance.md."""
