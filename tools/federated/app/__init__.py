"""Library of the generated Flower apps: learner, guard, aggregation, compression and privacy.

Runs in the sandbox or in a Flower deployment, so nothing here may import host code.
"""
