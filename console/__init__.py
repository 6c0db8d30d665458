"""The console: the pages on which people pick conversations and get training files."""
