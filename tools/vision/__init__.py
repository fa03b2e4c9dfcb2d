"""Experts: models that carry out a card on a picture, and the readers of their outputs.

Where a model is cut belongs in ``tools/split``; which node runs it in ``tools/offload``.
"""
