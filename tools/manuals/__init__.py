"""Device manuals as numbered lines, read from text, Markdown or PDF under strict limits.

Extracting facts from a manual belongs in ``agents/manuals``.
"""
