"""Text features: the sentence encoder, cached sentence vectors and small classifiers on them.

What the labels mean for a plan or a training design belongs in the packages above.
"""
