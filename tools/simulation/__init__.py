"""Simulated people, rooms and networks, whose true state is known: what sensing is judged against.

Nothing here knows how the truth is estimated: ``tools/sensing`` and this package share no code.
"""
