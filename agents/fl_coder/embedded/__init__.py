"""The embedded coder: recipes, first design, diagnosis of curves and adjustments.

Reading constraints from words belongs to ``fl_coder/constraints``.
"""
