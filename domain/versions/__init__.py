"""Versions of a training file: who may ask for one, what it holds, what is recorded of it."""
