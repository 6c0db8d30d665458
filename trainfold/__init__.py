"""Folds enriched conversation files into versioned LoRA training files."""

__version__ = "0.1.0"
