"""A device with several servers: the policy over simulated ones, and real ones that are killed.

One server over a shaped link belongs to ``benchmarks/latency``.
"""
