"""Labelled samples: loading data sets, splitting them and partitioning them among clients.

Training on them belongs in ``tools/federated`` and ``tools/codec_training``.
"""
