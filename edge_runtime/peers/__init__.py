"""Upstream peers: sending work to them and what is known of them and of the link.

Choosing between arms belongs to ``tools/offload``.
"""
