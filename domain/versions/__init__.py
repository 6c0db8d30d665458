"""Versions of a training file: requests, eligibility, composition, records, verification."""
