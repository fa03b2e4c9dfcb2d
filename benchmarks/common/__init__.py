"""What every benchmark shares: scores, results, progress and generated tables.

Nothing here measures anything.
"""
