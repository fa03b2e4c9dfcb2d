"""Constraints on a training run, read from a person's words: privacy, skew, attackers, owners.

What the coder does about them belongs to ``fl_coder/embedded``.
"""
