"""Federated training: propose, check, approve, train, score, decide, register.

What a step decides belongs in ``agents/fl_coder``, what it does in ``tools/federated``; only the
order is here.
"""
