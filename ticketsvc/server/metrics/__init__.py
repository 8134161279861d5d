"""Figures for machines: what each process counts, what the workers have counted together, and its text format.

`counts` is where the service counts, `board` where the workers put their counts together, `catalogue` names each
metric, `exposition` writes them for Prometheus. Counting is two dictionary look-ups (bench/RESULTS.md).
"""
