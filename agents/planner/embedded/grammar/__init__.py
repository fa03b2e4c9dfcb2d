"""The grammar of requests: sentences, what is not wanted, conditions, images, ellipsis.

Only words are read here; which cards they request is decided by the fitted model beside it.
"""
