"""Automatic federated learning against baselines and on worded problems.

Training itself belongs to ``tools/federated``.
"""
