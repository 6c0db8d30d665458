"""What a model would learn from a version: figures of each conversation, and a report of all.

Figures are computed once for each conversation and kept by the digest of its bytes; the report adds
them up. docs/fitness.md says what each figure means.
"""

RULES = 1
"""The revision of what figures hold. A change makes all of them anew."""
