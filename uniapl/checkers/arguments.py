"""Instruction types and their arguments: what each argument may be, and how a checker takes it."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from uniapl.checkers.texts import LANGUAGES
from uniapl.jsonl import is_text

Relation = Callable[[int, int], bool]

RELATIONS: dict[str, Relation] = {"at least": operator.ge, "less than": operator.lt}
POSTSCRIPTS = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}


class Argument(NamedTuple):
    """A kind of argument: in words, as a test of the value in a data file, as the value for the checker."""

    expected: str
    accepts: Callable[[object], bool]
    read: Callable


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_words(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(is_text, value))


def _literal(word: str) -> re.Pattern:
    return re.compile(re.escape(word.strip()), re.IGNORECASE)


def _any_word(words: Sequence[str]) -> re.Pattern:
    return re.compile(rf"\b(?:{'|'.join(re.escape(word.strip()) for word in words)})\b", re.IGNORECASE)


def _whole_word(word: str) -> re.Pattern:
    return re.compile(rf"(?<!\w){re.escape(word.strip())}(?!\w)", re.IGNORECASE)


def _marker(marker: str) -> re.Pattern:
    return re.compile(POSTSCRIPTS.get(marker.strip(), re.escape(marker.strip().lower())))


def _heading(name: str) -> re.Pattern:
    return re.compile(re.escape(name.strip()) + r"\s?\d+")


COUNT = Argument("a whole number of at least 1", _is_count, int)
RELATION = Argument("'at least' or 'less than'", lambda v: v in list(RELATIONS), RELATIONS.__getitem__)
PHRASE = Argument("text that is not blank", is_text, lambda v: v.strip().lower())
CHARACTER = Argument("one character", lambda v: isinstance(v, str) and len(v) == 1, str.lower)
LANGUAGE = Argument("a language code of langdetect", lambda v: v in LANGUAGES, str)
KEYWORD = Argument(PHRASE.expected, is_text, _literal)
KEYWORDS = Argument("a list of words, none blank", _is_words, lambda v: [_literal(word) for word in v])
FORBIDDEN = Argument(KEYWORDS.expected, _is_words, _any_word)
WHOLE_WORD = Argument(PHRASE.expected, is_text, _whole_word)
MARKER = Argument(PHRASE.expected, is_text, _marker)
HEADING = Argument(PHRASE.expected, is_text, _heading)


@dataclass(frozen=True)
class Instruction:
    """An instruction type: its checker, and what each parameter of the checker takes.

    `follows(text, **arguments)` is the verdict on a text; `together` says in words what is wrong with arguments that
    are each valid, or None.
    """

    follows: Callable[..., bool]
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    together: Callable[[Mapping], str | None] = lambda given: None
