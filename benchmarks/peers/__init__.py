"""A device with several servers: simulated ones, and real ones, of which some are killed.

One server over a shaped link belongs to ``benchmarks/latency``.
"""
