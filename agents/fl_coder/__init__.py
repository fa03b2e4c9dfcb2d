"""The federated coder: a purpose, a data card and past trials in, a candidate and its reasons out.

Running, checking and scoring candidates belongs in ``tools/federated``.
"""
