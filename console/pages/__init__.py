"""A module for each thing that people do."""
