"""Records of federated training: candidate, data card, trial, report and run folder.

Data only; nothing here trains or runs anything.
"""
