"""Shared by all benchmarks: scores, results, progress and generated pages.

Measurements belong in the packages above.
"""
