"""Scores plans of requests that lean on a conversation: images, negation, conditions, ellipsis."""
