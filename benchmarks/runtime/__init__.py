"""The overhead of a node's tail route.

Whole requests belong to ``benchmarks/latency``.
"""
