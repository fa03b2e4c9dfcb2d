"""Services of a run, opened once: node, planner, cards, image store and threads.

The steps of a graph belong to the packages above.
"""
