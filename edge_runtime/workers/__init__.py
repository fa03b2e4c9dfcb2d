"""Lanes: one process a model, so that a stuck or crashed one is replaced without hurting others.

What a process computes belongs in ``tools``; which one is asked, in ``execution``.
"""
