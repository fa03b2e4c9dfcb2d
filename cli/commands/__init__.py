"""One module for each command of ``edgewright``: arguments in, text or JSON out.

What is drawn belongs to ``cli/views``; logic belongs to the layers below.
"""
