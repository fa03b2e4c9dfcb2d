"""Partition adapters for PyTorch models: one module per model family, and shared code.

An adapter cuts and runs a model; interpreting its output belongs in ``tools/vision``.
"""
