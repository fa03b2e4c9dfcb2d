"""Reads constraints on a training run from a person's words: privacy, skew, attackers, owners.

What the coder does about them belongs in ``fl_coder/embedded``.
"""
