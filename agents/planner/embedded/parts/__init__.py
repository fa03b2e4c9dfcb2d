"""Reads which words of a request ask for what, and says it again in plain sentences.

``tagger`` marks the parts of a request: tasks, conditions, words that say which images are meant.
It is a small network on the first blocks of MiniLM, fitted to requests that were marked by hand.
``restating`` turns the parts into sentences that the grammar reads: the requested tasks, each with
its condition, without remarks and without unwanted tasks.
"""
