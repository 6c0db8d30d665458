"""Faults on purpose: proxies, workers that can be killed, a judge, and a long run of trials.

`python -m soak --help` says how to run it; `soak/kinds.py` lists what is tried.
"""
