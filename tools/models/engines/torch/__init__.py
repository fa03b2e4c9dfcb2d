"""Partition adapters: one module a model family, and what they share.

An adapter cuts and runs a model; reading its output belongs in ``tools/vision``.
"""
