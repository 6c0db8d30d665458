"""The individual conversation file: parsing, structure, contradictions, vocabulary."""
