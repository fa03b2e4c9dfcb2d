"""How many servers a service needs: on paper by queueing formulas, and by simulating its users.

Measuring a running node's load, and the policy itself, belong in ``tools/offload``.
"""
