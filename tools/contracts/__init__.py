"""Types that cross the wire or a package boundary: images, cards, arms, profiles, reports.

Data only; behaviour belongs to the packages that use it.
"""
