"""The embedded coder: recipes, first design, diagnosis of curves, and adjustments.

Reading constraints from a person's words belongs in ``fl_coder/constraints``.
"""
