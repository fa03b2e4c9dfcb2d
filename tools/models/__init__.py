"""Models: how to describe, load, run and cut them, and the expert protocol that reads their output.

Experts for a modality belong to packages such as ``tools/vision``.
"""
