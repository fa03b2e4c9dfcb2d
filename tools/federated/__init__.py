"""Federated learning: the Flower app template, aggregation, engines, trials and serving.

Proposing candidates belongs in ``agents/fl_coder``, the workflow in ``graphs/federated``.
"""
