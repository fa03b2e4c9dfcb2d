"""Serving trained models as tools: installation, cards, and running their code in the sandbox.

Training belongs in ``federated/trials``.
"""
