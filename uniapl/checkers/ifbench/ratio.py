"""ratio: shares and proportions."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from uniapl.checkers.arguments import Instruction
from uniapl.checkers.ifbench.arguments import PERCENTAGE, REFERENCE, no_punctuation, trigrams
from uniapl.checkers.ifbench.english import STOP_WORDS
from uniapl.checkers.punkt import sentences

TOLERANCE = 2  # points of overlap
_BLOCK = 500  # sentences
_CLOSING = "\"'”’»)]}"


def stop_words(text: str, percentage: float) -> bool:
    r"""At most so many per cent of the runs of \w characters are stop words; there is at least one run."""
    words = re.findall(r"\w+", text)
    return bool(words) and sum(word.lower() in STOP_WORDS for word in words) / len(words) * 100 <= percentage


def _n_by_mark(text: str, most: Mapping[str, float], closing: str = "") -> Counter:
    """How many sentences end in each mark, before any of the closing characters; until soon after one has too many."""
    n, marks = Counter(), ((sentence.rstrip(closing) if closing else sentence)[-1:] for sentence in sentences(text))
    while block := [*islice(marks, _BLOCK)]:
        n.update(block)
        if any(n[mark] > most[mark] for mark in most):
            break
    return n


def _most_of_type(text: str) -> dict[str, float]:
    return {".": 2 * text.count("?"), "?": text.count(".") / 2}


def _most_of_balance(text: str) -> dict[str, float]:
    return dict.fromkeys(".?!", min(map(text.count, ".?!")))


def sentence_type(text: str) -> bool:
    """Twice as many sentences end in "." as in "?"; as upstream none of either will do."""
    n = _n_by_mark(text, _most_of_type(text))
    return n["."] == 2 * n["?"]


def sentence_type_fixed(text: str) -> bool:
    """Twice as many sentences end in "." as in "?", inside quotes or brackets or not; there is a question."""
    n = _n_by_mark(text, _most_of_type(text), _CLOSING)
    return n["."] == 2 * n["?"] > 0


def sentence_balance(text: str) -> bool:
    """As many sentences end in "." as in "?" and in "!"; as upstream none of each will do."""
    n = _n_by_mark(text, _most_of_balance(text))
    return n["."] == n["?"] == n["!"]


def sentence_balance_fixed(text: str) -> bool:
    """As many sentences end in "." as in "?" and in "!", inside quotes or brackets or not; one of each at least."""
    n = _n_by_mark(text, _most_of_balance(text), _CLOSING)
    return n["."] == n["?"] == n["!"] > 0


def sentence_words(text: str) -> bool:
    """Exactly three sentences, of the same number of characters; upstream does not compare their words."""
    lengths = [len(sentence.strip()) for sentence in sentences(text)[:4]]
    return len(lengths) == 3 and len(set(lengths)) == 1


def sentence_words_fixed(text: str) -> bool:
    """Exactly three sentences, of the same number of characters, in which no word occurs twice."""
    if not sentence_words(text):
        return False
    words = no_punctuation(text.lower()).split()
    return len(words) == len(set(words))


def overlap(text: str, reference_text: Sequence[int], percentage: float) -> bool:
    """The percentage, within two points, of the text's different character trigrams also occur in the reference."""
    import numpy as np

    text_trigrams = trigrams(text)
    if not len(text_trigrams):
        return False
    shared = len(np.intersect1d(text_trigrams, reference_text, assume_unique=True))
    return percentage - TOLERANCE <= shared / len(text_trigrams) * 100 <= percentage + TOLERANCE


INSTRUCTIONS = {
    "ratio:stop_words": Instruction(stop_words, {"percentage": PERCENTAGE}),
    "ratio:sentence_type": Instruction(sentence_type),
    "ratio:sentence_balance": Instruction(sentence_balance),
    "ratio:sentence_words": Instruction(sentence_words),
    "ratio:overlap": Instruction(overlap, {"reference_text": REFERENCE, "percentage": PERCENTAGE}),
}
FIXED = {
    "ratio:sentence_type~fixed": Instruction(sentence_type_fixed),
    "ratio:sentence_balance~fixed": Instruction(sentence_balance_fixed),
    "ratio:sentence_words~fixed": Instruction(sentence_words_fixed),
}
