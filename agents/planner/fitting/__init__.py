"""Fitting the embedded planner to a catalogue: training examples and checks for confusable cards.

Nothing here runs once a fitted model is loaded.
"""
