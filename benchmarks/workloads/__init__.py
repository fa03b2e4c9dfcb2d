"""Data sets and small models that benchmarks measure.

Measuring them belongs to the benchmarks.
"""
