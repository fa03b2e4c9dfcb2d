"""Engines that run models.

The engine-independent description of a model belongs to ``tools/models``.
"""
