"""Fits the embedded planner to a catalogue: training examples and checks for confusable cards.

What reads requests with a fitted model belongs in ``planner/embedded``.
"""
