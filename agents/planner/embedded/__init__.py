"""The embedded planner at run time: from a request to intents to a plan, without a chat model.

Fitting it to a catalogue belongs in ``planner/fitting``.
"""
