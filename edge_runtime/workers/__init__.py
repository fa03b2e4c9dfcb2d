"""Model workers: one process per model, so that a stuck or crashed one is replaced on its own.

What a worker computes belongs in ``tools``; which one is called, in ``execution``.
"""
