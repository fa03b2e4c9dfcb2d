"""End-to-end latency, the offloading policy against an oracle, and queueing.

The tail route alone belongs to ``benchmarks/runtime``.
"""
