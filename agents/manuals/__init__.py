"""Device manuals: numbered lines in, a draft of a card out, each of its facts with its quotation.

Reading files belongs in ``tools/manuals``; enabling a card that a person approved in
``tools/cards``.
"""
