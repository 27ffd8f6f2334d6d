"""Diversity of a set of texts."""

from collections.abc import Iterable


def distinct_bigrams(texts: Iterable[str]) -> float | None:
    """Distinct word bigrams / bigrams over all texts (distinct-2 of Li et al. 2016, arXiv 1510.03055), 0 to 1.

    Words are split at white space; no bigram spans two texts. None where no text has two words. It falls with the
    number of texts: compare only sets of equal size.
    """
    words = [text.split() for text in texts]
    bigrams = [pair for text in words for pair in zip(text, text[1:], strict=False)]
    return len(set(bigrams)) / len(bigrams) if bigrams else None
