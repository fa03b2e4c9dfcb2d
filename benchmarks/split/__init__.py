"""Bytes against accuracy: images sent whole, and models cut between device and edge server.

Models and data that are measured belong to ``benchmarks/workloads``.
"""
