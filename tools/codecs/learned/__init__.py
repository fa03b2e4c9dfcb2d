"""Learned feature codecs: a bottleneck at the cut, its prior, its training and its two halves.

What every codec must do is said in ``tools/codecs/protocol.py``; figures belong in ``benchmarks``.
"""
