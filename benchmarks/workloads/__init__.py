"""Data sets and small models to measure.

The measurements belong to the benchmarks.
"""
