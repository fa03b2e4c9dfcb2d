"""Opens what runs work with, once: settings, node, planner, cards, image store and threads.

The steps of a graph belong to the packages above.
"""
