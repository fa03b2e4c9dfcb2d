"""The offloading policy: choosing a task's arm from measured profiles, link estimate and load.

Executing the chosen arm belongs in ``edge_runtime``; running models in ``tools/split``.
"""
