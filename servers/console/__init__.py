"""The web console: pages from the package, and the routes behind them.

The pages know no more than these routes report; what a request does belongs in ``graphs``.
"""
