"""Generating a Flower app from a candidate: syntax check, settings and files.

Code that the generated app imports belongs in ``federated/app``.
"""
