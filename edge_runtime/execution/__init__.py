"""Executing an invocation: checks, choice of the arm, fallback chain and cost report.

HTTP belongs to ``edge_runtime/api``.
"""
