"""How well and how fast requests are planned.

Request sets lie in ``benchmarks/data/planner``.
"""
