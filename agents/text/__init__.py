"""Text as numbers: the sentence encoder, cached sentence vectors and small classifiers on them.

What the numbers mean for a plan or a training design belongs to the packages above.
"""
