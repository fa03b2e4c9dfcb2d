"""Installing models of the catalogue: fetching, checking, converting, removing.

Converting graphs belongs in ``tools/models/conversion``; reading what is installed in
``tools/models/installed``.
"""
