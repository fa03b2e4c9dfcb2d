"""Carrying out an invocation: checking it, choosing the arm, the fallback chain, the cost report.

HTTP belongs to ``edge_runtime/api``.
"""
