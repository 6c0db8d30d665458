"""What an individual conversation file is: bytes, structure, vocabulary, contradictions."""
