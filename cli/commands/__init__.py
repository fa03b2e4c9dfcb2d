"""One module for each command of ``edgewright``: arguments in, text or JSON out.

How output looks belongs to ``cli/views``, logic to the packages below.
"""
