"""The embedded planner at run time: from words to wishes to a plan, without a chat model.

Fitting it to a catalogue belongs to ``planner/fitting``.
"""
