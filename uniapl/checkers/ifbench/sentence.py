"""sentence: rules for sentences one after another."""

import re
from itertools import pairwise

from uniapl.checkers.arguments import Instruction
from uniapl.checkers.ifbench.arguments import NUMBER, PUNCTUATION, WORD, no_punctuation
from uniapl.checkers.punkt import sentences
from uniapl.checkers.sentences import plain_words


def _n_alliterative(sentence: str) -> int:
    """How many words of the sentence begin like the word before or after them."""
    firsts = [word[0] for word in (w.lstrip(PUNCTUATION) for w in sentence.lower().split()) if word]
    same_letter = [False, *(letter == next_letter for letter, next_letter in pairwise(firsts)), False]
    return sum(before or after for before, after in pairwise(same_letter))


def alliteration_increment(text: str) -> bool:
    """Each sentence has more alliterative words than the one before, side by side or not; the first may have none."""
    return all(before < after for before, after in pairwise(map(_n_alliterative, sentences(text))))


def _longest_alliteration(sentence: str) -> int:
    """How many words in a row begin alike, at most; none where no two do."""
    longest = run = 1
    for before, after in pairwise(plain_words(sentence)):
        run = run + 1 if before[0] == after[0] else 1
        longest = max(longest, run)
    return longest if longest > 1 else 0


def alliteration_increment_fixed(text: str) -> bool:
    """Each sentence has a longer run of alliterative words than the one before; the first may have none."""
    return all(before < after for before, after in pairwise(map(_longest_alliteration, sentences(text))))


def increment(text: str, small_n: int) -> bool:
    """Each sentence has exactly so many more words than the one before; punctuation alone is no word."""
    n_words = (len(no_punctuation(sentence).split()) for sentence in sentences(text))
    return all(after - before == small_n for before, after in pairwise(n_words))


def increment_fixed(text: str, small_n: int) -> bool:
    """Each sentence has exactly so many more words than the one before; typographic dashes and emoji are no words."""
    n_words = (len(plain_words(sentence)) for sentence in sentences(text))
    return all(after - before == small_n for before, after in pairwise(n_words))


def keyword(text: str, word: re.Pattern, N: int) -> bool:
    """The N-th sentence has the word as a whole word, in any case."""
    return any(word.search(sentence) for sentence in sentences(text)[N - 1 : N])


INSTRUCTIONS = {
    "sentence:alliteration_increment": Instruction(alliteration_increment),
    "sentence:increment": Instruction(increment, {"small_n": NUMBER}),
    "sentence:keyword": Instruction(keyword, {"word": WORD, "N": NUMBER}),
}
FIXED = {
    "sentence:alliteration_increment~fixed": Instruction(alliteration_increment_fixed),
    "sentence:increment~fixed": Instruction(increment_fixed, {"small_n": NUMBER}),
}
