"""Which arm a task takes: measured profiles, the estimate of the link, and the choice between them.

Executing the chosen arm belongs in ``edge_runtime``; what is sent, in ``tools/split``.
"""
