"""Kinds of argument that only IFBench has: its data files write whole numbers as 5.0."""

import re
from collections.abc import Mapping

from uniapl.checkers.arguments import Argument
from uniapl.jsonl import is_text

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "  # with the blank: what IFBench strips from words and options
_MARKS = re.compile(f"[{re.escape(PUNCTUATION.strip())}]+")


def no_punctuation(text: str) -> str:
    """The text without ASCII punctuation."""
    return _MARKS.sub("", text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object, least: int) -> bool:
    return _is_number(value) and value >= least and value == value // 1


def trigrams(text: str):
    """The sequences of three characters that occur in the text, as sorted different numbers (n,)."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)
    return np.unique((codes[:-2] << 42) + (codes[1:-1] << 21) + codes[2:])


def _options(text: str) -> tuple[bool, frozenset[str]]:
    """Whether a response must be an option to the letter, and the options: separated by "/", else "or", else ","."""
    exact = bool(re.match(r"\W*[aA]\W*[bB]\W*[cC]", text))  # an enumeration a), b), c)
    separator = next(s for s in ("/", "or", ",") if s in text or s == ",")
    options = (option.strip() for option in text.split(separator))
    return exact, frozenset(o if exact else o.strip(PUNCTUATION).lower() for o in options)


NUMBER = Argument("a whole number of at least 1", lambda v: _is_whole(v, 1), int)
INDEX = Argument("a whole number of at least 0", lambda v: _is_whole(v, 0), int)
PERCENTAGE = Argument("a number from 0 to 100", lambda v: _is_number(v) and 0 <= v <= 100, float)
TEXT = Argument("text that is not blank", is_text, str)
WORD = Argument(TEXT.expected, is_text, lambda v: re.compile(rf"\b{re.escape(v)}\b", re.IGNORECASE))
REFERENCE = Argument("text of at least 3 characters", lambda v: isinstance(v, str) and len(v) > 2, trigrams)
OPTIONS = Argument(TEXT.expected, is_text, _options)


def ordered_range(kwargs: Mapping) -> str | None:
    if kwargs["min_words"] > kwargs["max_words"]:
        return f"no number is at least {kwargs['min_words']:g} and at most {kwargs['max_words']:g}"


def _span_inside(kwargs: Mapping, length: int, unit: str) -> str | None:
    if not kwargs["n_start"] <= kwargs["n_end"] < length:
        return f"no span from {kwargs['n_start']:g} to {kwargs['n_end']:g} in {length} {unit}"


def span_inside(kwargs: Mapping) -> str | None:
    return _span_inside(kwargs, len(kwargs["prompt_to_repeat"]), "characters")


def words_inside(kwargs: Mapping) -> str | None:
    return _span_inside(kwargs, len(kwargs["prompt_to_repeat"].split()), "words")
