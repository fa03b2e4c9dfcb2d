"""Device manuals: numbered lines in, a draft of a card out, with a quotation for each fact.

Reading files belongs in ``tools/manuals``, enabling an approved card in ``tools/cards``.
"""
