"""The service on a node: routes, worker processes, limits, keys and metrics.

Runs with the ``edge`` extra alone; planning and graphs do not belong here.
"""
