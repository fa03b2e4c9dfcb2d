"""The federated coder: purpose, data card and past trials in, a candidate with reasons out.

Checking, training and scoring candidates belongs in ``tools/federated``.
"""
