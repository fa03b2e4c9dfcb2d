"""The networks of learned codecs in PyTorch, to train them and to run them with its engine.

The other engines run what was exported from here.
"""
