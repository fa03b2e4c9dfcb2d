"""Words for colours and expressions, and the plain names that they stand for."""

from __future__ import annotations

_COLOURS = {
    "black": ["black"],
    "white": ["white", "cream", "ivory"],
    "grey": ["grey", "silver"],
    "red": ["red", "crimson", "scarlet", "maroon"],
    "orange": ["orange"],
    "yellow": ["yellow", "gold", "golden"],
    "green": ["green", "lime", "olive"],
    "blue": ["blue", "navy", "cyan", "turquoise", "teal"],
    "purple": ["purple", "violet", "lilac"],
    "pink": ["pink", "rose", "magenta"],
    "brown": ["brown", "beige", "tan"],
}
_EXPRESSIONS = {
    "happy": ["smiling", "smile", "laughing", "laugh", "grinning", "happy", "glad", "cheerful"],
    "sad": ["sad", "unhappy", "crying", "upset"],
    "angry": ["angry", "furious", "mad", "annoyed"],
    "surprised": ["surprised", "astonished", "shocked", "amazed"],
    "neutral": ["neutral", "serious", "calm"],
    "fearful": ["afraid", "scared", "frightened", "fearful"],
    "disgusted": ["disgusted"],
}

#: Basic colours by the words that people use for them.
COLOUR_WORDS = {word: name for name, words in _COLOURS.items() for word in words}
#: Expressions of a face by the words that people use for them.
EXPRESSION_WORDS = {word: name for name, words in _EXPRESSIONS.items() for word in words}
