"""Upstream peers: sending work to them, and tracking their profile, load and link.

Choosing between arms belongs to ``tools/offload``.
"""
