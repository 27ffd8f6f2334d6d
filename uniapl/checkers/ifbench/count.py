"""count: numbers of words, names, numbers, marks."""

import re
from itertools import chain, islice

from uniapl.checkers import treebank
from uniapl.checkers.arguments import PHRASE, WHOLE_WORD, Instruction
from uniapl.checkers.ifbench.arguments import NUMBER, PUNCTUATION, no_punctuation, ordered_range
from uniapl.checkers.ifbench.english import CONJUNCTIONS, NAMES, PRONOUNS
from uniapl.checkers.punkt import sentences
from uniapl.checkers.sentences import plain_words

# What a pronoun among the tokens looks like in the text: NLTK splits "gimme", "lemme" and words in n't, and no letter
# from its accent, as in the small form of the Turkish dotted I.
_FIRST_LETTERS = "".join(sorted({pronoun[0] for pronoun in PRONOUNS}))  # looked for first, which takes half the time
_ANY_PRONOUN = re.compile(
    rf"(?=[{_FIRST_LETTERS}])\b(?:{'|'.join(sorted(PRONOUNS))})(?:\b(?![\u0300-\u036f])|n't)|gimme|lemme"
)
_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
TIMES = (1, 2, 3, 5, 7)  # that each of the five keywords must occur
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?")


def word_count_range(text: str, min_words: int, max_words: int) -> bool:
    r"""The number of runs of \w characters is within the range, ends included."""
    return min_words <= len(re.findall(r"\w+", text)) <= max_words


def word_count_range_fixed(text: str, min_words: int, max_words: int) -> bool:
    """The number of words is within the range, ends included; "don't" and "well-known" are one word each."""
    return min_words <= len(plain_words(text)) <= max_words


def unique_word_count(text: str, N: int) -> bool:
    """At least so many different words, in any case; all words of nothing but punctuation count as one."""
    return len({word.strip(PUNCTUATION) for word in text.lower().split()}) >= N


def unique_word_count_fixed(text: str, N: int) -> bool:
    """At least so many different words, in any case; punctuation is no word, typographic marks included."""
    return len(set(plain_words(text))) >= N


def _conjunctions(text: str) -> list[str]:
    return [word for word in text.split() if word.strip(PUNCTUATION).lower() in CONJUNCTIONS]


def conjunctions(text: str, small_n: int) -> bool:
    """At least so many different coordinating conjunctions; as upstream "and", "And" and "and," are three."""
    return len(set(_conjunctions(text))) >= small_n


def conjunctions_fixed(text: str, small_n: int) -> bool:
    """At least so many different coordinating conjunctions, in any case and beside any mark."""
    return len({word.strip(PUNCTUATION).lower() for word in _conjunctions(text)}) >= small_n


def person_names(text: str, N: int) -> bool:
    """At least so many of the fifty names occur, as whole words and capitalized."""
    return len(NAMES.intersection(re.findall(r"\w+", text))) >= N


def numbers(text: str, N: int) -> bool:
    """Exactly so many runs of digits once punctuation is gone: 1,000.5 is one number, and so is 3-4."""
    return len(re.findall(r"\d+", no_punctuation(text))) == N


def numbers_fixed(text: str, N: int) -> bool:
    """Exactly so many numbers: 1,000.5 is one, 3-4 and 1,2 are two each."""
    return len(_NUMBER.findall(text)) == N


def pronouns(text: str, N: int) -> bool:
    """At least so many word tokens are pronouns, in any case, with "/" between words read as a blank."""
    text = text.lower().replace("/", " ")
    if sum(1 for _ in islice(_ANY_PRONOUN.finditer(text), N)) < N:  # spares the slow tokens; never fewer than tokens
        return False
    may_have_one = filter(_ANY_PRONOUN.search, sentences(text))
    occurrences = (token for token in chain.from_iterable(treebank.blocks(may_have_one)) if token in PRONOUNS)
    return sum(1 for _ in islice(occurrences, N)) >= N


def punctuation(text: str) -> bool:
    """An interrobang (?!, !? or the single character) and, beside its first ?! or else !?, each of . , ! ? ; :"""
    if not any(mark in text for mark in ("?!", "!?", "‽")):
        return False
    rest = text.replace("?!", "", 1) if "?!" in text else text.replace("!?", "", 1)
    return all(mark in rest for mark in ".,!?;:")


def _are_japanese(words: list[str]) -> bool:
    stripped = (word.strip(PUNCTUATION) for word in words)
    return all(_JAPANESE.search(word) for word in stripped if word and not word.isdigit())


def words_japanese(text: str, N: int) -> bool:
    """Every N-th word has a kana or a Chinese character, or is a number or nothing but punctuation."""
    return _are_japanese(text.split()[N - 1 :: N])


def words_japanese_fixed(text: str, N: int) -> bool:
    """Every N-th word has a kana or a Chinese character, or is a number; punctuation alone is no word."""
    return _are_japanese([word for word in text.split() if any(map(str.isalnum, word))][N - 1 :: N])


def keywords_multiple(text: str, **keywords: str) -> bool:
    """The five keywords occur once, twice, three, five and seven times, in any case, also inside words."""
    text = text.lower()
    return all(text.count(keywords[f"keyword{i}"]) == times for i, times in enumerate(TIMES, start=1))


def keywords_multiple_fixed(text: str, **keywords: re.Pattern) -> bool:
    """The five keywords occur once, twice, three, five and seven times, in any case, as whole words."""
    return all(len(keywords[f"keyword{i}"].findall(text)) == times for i, times in enumerate(TIMES, start=1))


INSTRUCTIONS = {
    "count:word_count_range": Instruction(
        word_count_range, {"min_words": NUMBER, "max_words": NUMBER}, together=ordered_range
    ),
    "count:unique_word_count": Instruction(unique_word_count, {"N": NUMBER}),
    "count:conjunctions": Instruction(conjunctions, {"small_n": NUMBER}),
    "count:person_names": Instruction(person_names, {"N": NUMBER}),
    "count:numbers": Instruction(numbers, {"N": NUMBER}),
    "count:pronouns": Instruction(pronouns, {"N": NUMBER}),
    "count:punctuation": Instruction(punctuation),
    "count:words_japanese": Instruction(words_japanese, {"N": NUMBER}),
    "count:keywords_multiple": Instruction(keywords_multiple, {f"keyword{i}": PHRASE for i in range(1, 6)}),
}
FIXED = {
    "count:word_count_range~fixed": Instruction(
        word_count_range_fixed, {"min_words": NUMBER, "max_words": NUMBER}, together=ordered_range
    ),
    "count:unique_word_count~fixed": Instruction(unique_word_count_fixed, {"N": NUMBER}),
    "count:conjunctions~fixed": Instruction(conjunctions_fixed, {"small_n": NUMBER}),
    "count:numbers~fixed": Instruction(numbers_fixed, {"N": NUMBER}),
    "count:words_japanese~fixed": Instruction(words_japanese_fixed, {"N": NUMBER}),
    "count:keywords_multiple~fixed": Instruction(
        keywords_multiple_fixed, {f"keyword{i}": WHOLE_WORD for i in range(1, 6)}
    ),
}
