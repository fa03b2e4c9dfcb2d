"""Measuring a node's own speed and storing the result.

What is measured for a model belongs to ``tools/offload``.
"""
