"""Labelled samples: where they come from and how they are split and dealt to clients.

What is trained on them belongs to ``tools/federated`` and ``tools/codec_training``.
"""
