"""Reads what each quantity in a person's words stands for.

``mentions`` finds the quantities, ``reader`` decides what each of them speaks of, ``values`` says
how much that is. The decision is learned from the phrases in ``phrases.yaml``.
"""
