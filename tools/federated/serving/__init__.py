"""Trained models as tools: installing them, their cards, and running their code in the sandbox.

Training them belongs to ``federated/trials``.
"""
