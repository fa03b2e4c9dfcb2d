"""The console script ``edgewright``: arguments in, text or JSON out.

Logic belongs to the packages below.
"""
