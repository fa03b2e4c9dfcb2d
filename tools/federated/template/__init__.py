"""Writing a candidate as a Flower app: allowed syntax, settings and files.

What the written app imports belongs to ``federated/app``.
"""
