"""Records of federated training: candidate, data card, trial, report, run folder.

Nothing here trains or runs anything.
"""
