"""Bytes against accuracy: images sent whole, and models cut between device and edge server.

Models and data sets belong to ``benchmarks/workloads``.
"""
