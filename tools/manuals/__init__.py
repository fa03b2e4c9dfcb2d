"""Manuals of devices as numbered lines, read from text, Markdown or PDF under strict limits.

What a manual says about its device is decided in ``agents/manuals``.
"""
