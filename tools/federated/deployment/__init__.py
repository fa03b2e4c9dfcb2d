"""Training across machines: one SuperLink, a SuperNode per client, each with its own folder.

What an operator and a client need to train a finished trial's app on data that stay where they are.
Runs on one machine belong in ``trials``.
"""
