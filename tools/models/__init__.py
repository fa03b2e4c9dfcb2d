"""Models: describing, loading, running and cutting them, and the expert protocol.

Experts for a modality belong in packages such as ``tools/vision``.
"""
