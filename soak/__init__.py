"""Inject faults and check the guarantees: proxies, processes to kill, a judge, and many trials.

`python -m soak --help` explains how to run it; `soak/kinds.py` lists the kinds of trial.
"""
