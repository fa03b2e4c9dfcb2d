"""A node's ``:invoke`` beside the same model behind other servers, under load and pressure.

The overhead of a node without a model belongs to ``benchmarks/runtime``.
"""
