"""Training prompts that also occur in an evaluation set: the same words, or enough of their 8-grams.

After Tülu 3 (Lambert et al. 2024, arXiv 2411.15124, section 3.2): a token of a test instance matches where it is part
of an 8-gram that a training instance has too, and the two overlap where more than 50 % of the test instance's tokens
match. Tokens are words here (ours: no tokenizer or language model decides): runs of \\w characters, in one case, after
NFKC. A prompt of fewer than eight words, or in a script without blanks between words, is found by the exact rule alone.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

N = 8  # words of an n-gram
SHARE = 0.5  # of the evaluation prompt's words: more is an overlap
SOURCE = "Lambert et al. 2024 (Tulu 3), arXiv 2411.15124, section 3.2"


class Match(NamedTuple):
    """Why a prompt is left out: `kind` is exact or overlap, `key` that of the evaluation prompt, `share` in (0, 1]."""

    kind: str
    key: str
    share: float


class Index(NamedTuple):
    """The evaluation prompts: key by normalised text, places by n-gram (prompt, first word), keys, numbers of words."""

    exact: Mapping[str, str]
    places: Mapping[tuple[str, ...], Sequence[tuple[int, int]]]
    keys: Sequence[str]
    lengths: Sequence[int]


def words(text: str) -> list[str]:
    """The words of a text in one case, without punctuation."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def _same(text: str, tokens: Sequence[str]) -> str:
    return " ".join(tokens) or text.strip()


def normalised(text: str) -> str:
    """The text by which two prompts are the same: its words, or the text itself where it has none."""
    return _same(text, words(text))


def _ngrams(tokens: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(tokens[i:] for i in range(N)), strict=False)


def index(rows: Iterable[Mapping]) -> Index:
    """The index of prompts (rows with key and prompt) against which others are held."""
    exact: dict[str, str] = {}
    places: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    keys, lengths = [], []
    for row in rows:
        tokens = words(row["prompt"])
        exact.setdefault(_same(row["prompt"], tokens), row["key"])
        for first, ngram in enumerate(_ngrams(tokens)):
            places[ngram].append((len(keys), first))
        keys.append(row["key"])
        lengths.append(len(tokens))
    return Index(exact, dict(places), keys, lengths)


def find(prompt: str, against: Index) -> Match | None:
    """The evaluation prompt that this prompt has the largest share of, where that is more than SHARE."""
    tokens = words(prompt)
    if key := against.exact.get(_same(prompt, tokens)):
        return Match("exact", key, 1.0)
    covered: defaultdict[int, set[int]] = defaultdict(set)
    for ngram in set(filter(against.places.__contains__, _ngrams(tokens))):
        for number, first in against.places[ngram]:
            covered[number].update(range(first, first + N))
    shares = {number: len(at) / against.lengths[number] for number, at in covered.items()}
    largest = max(shares, key=lambda number: shares[number], default=None)
    if largest is None or shares[largest] <= SHARE:
        return None
    return Match("overlap", against.keys[largest], shares[largest])
