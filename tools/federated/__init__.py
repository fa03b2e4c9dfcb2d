"""Federated learning: data, the Flower app template, sandbox, engines, aggregation, scoring.

Nothing here decides what to try next (``agents/fl_coder``) or in which order
(``graphs/federated``).
"""
