"""Accuracy and speed of the planner.

Request sets belong to ``benchmarks/data/planner``.
"""
