"""What crosses the wire or a package boundary: images, cards, arms, profiles, reports, problems.

Only data here; behaviour belongs to the packages that use it.
"""
