"""What the prompts of IF-RLVR's types say where the published rule (uniapl/checkers/iftrain.py) does another thing.

`FIXED` has each under the id and "~fixed"; docs/scorers.md shows by an example how the two differ. They are of
nobody's published numbers. No checker takes quadratic time.
"""

import re
from itertools import pairwise

from uniapl.checkers.arguments import COUNT, RELATION, WHOLE_WORD, Instruction, Relation
from uniapl.checkers.iftrain import (
    COMPOSITION,
    FREQUENCY,
    POSITION,
    SPAN,
    TEXT,
    WORD,
    all_different,
    copy_span_idx,
    count_increment_word,
    joined_sentences,
    sentences_of_three,
    span_exists,
)
from uniapl.checkers.sentences import first_plain_word, plain_words, split_sentences

_CASED_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def copy_fixed(text: str, prompt_to_repeat: str) -> bool:
    """The text is the prompt, in the same case; white space around it does not count."""
    return text.strip() == prompt_to_repeat.strip()


def copying_multiple_fixed(text: str, prompt_to_repeat: str, N: int) -> bool:
    """The text is the prompt N times, in the same case, with `******` between."""
    parts = text.split("******")
    return len(parts) == N and all(copy_fixed(part, prompt_to_repeat) for part in parts)


def copy_span_idx_fixed(text: str, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """The text is the prompt's characters from n_start to n_end, both included, in any case."""
    return copy_span_idx(text, prompt_to_repeat, n_start, n_end + 1)


def sentence_hyphens_fixed(text: str) -> bool:
    """What the hyphens separate are the sentences, one by one."""
    parts, sentences = joined_sentences(text)
    return parts == list(sentences)


def square_brackets_fixed(text: str) -> bool:
    """Every word is in [square brackets] of its own; punctuation may stand outside."""
    outside, n = re.subn(r"\[[^\[\]\s]+\]", " ", text)
    return n > 0 and not any(map(str.isalnum, outside))


def bigram_wrapping_fixed(text: str) -> bool:
    """Every two words are in <<double angular brackets>>, and so is a last word without partner."""
    words = text.split()
    return all(word.startswith("<<") for word in words[::2]) and all(
        word.endswith(">>") for word in [*words[1::2], *words[-1:]]
    )


def no_adjacent_consecutive_fixed(text: str) -> bool:
    """No word starts with the letter, a to z, that follows the one that the word before starts with."""
    initials = [word[0] for word in plain_words(text)]
    return not any(a in "abcdefghijklmnopqrstuvwxy" and ord(b) - ord(a) == 1 for a, b in pairwise(initials))


def word_once_fixed(text: str, keyword: re.Pattern) -> bool:
    """The keyword occurs as a whole word, in any case, once or more: the prompt only asks to include it."""
    return bool(keyword.search(text))


def word_count_fixed(text: str, keyword: re.Pattern, frequency: int, relation: Relation) -> bool:
    """The keyword occurs exactly so many times as a whole word: the prompt does not say the relation."""
    return len(keyword.findall(text)) == frequency


def exclude_word_harder_fixed(text: str, keyword: str) -> bool:
    """The keyword does not occur as a whole word, in any case."""
    return not re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text, re.IGNORECASE)


def palindrome_fixed(text: str) -> bool:
    """A word of three letters or more reads the same backwards, in any case."""
    return any(len(word) > 2 and word == word[::-1] for word in plain_words(text))


def keyword_specific_position_fixed(text: str, keyword: str, n: int, m: int) -> bool:
    """The m-th word of the n-th sentence is the keyword, in any case; punctuation is no word."""
    sentences = split_sentences(text)
    return len(sentences) >= n and plain_words(sentences[n - 1])[m - 1 : m] == [keyword.lower()]


def start_end_fixed(text: str) -> bool:
    """The first and the last of several words are the same, in any case, and nothing follows the last."""
    words = plain_words(text)
    return len(words) > 1 and words[0] == words[-1] and text.rstrip()[-1].isalnum()


def first_word_sent_fixed(text: str, first_word: str) -> bool:
    """Every sentence starts with the word, in any case; a comma may follow."""
    return all(first_plain_word(sentence) == first_word.lower() for sentence in split_sentences(text))


def first_word_answer_fixed(text: str, first_word: str) -> bool:
    """The text starts with the word, in any case; a comma may follow."""
    return first_plain_word(text) == first_word.lower()


def lowercase_counting_fixed(text: str, N: int) -> bool:
    """At most N words have small letters alone; "don't" and "well-known" are one each, and so is "caf\u00e9"."""
    return sum(map(str.islower, _CASED_WORD.findall(text))) <= N


def letter_counting_fixed(text: str, N: int, relation: Relation) -> bool:
    """The text has enough (or few enough) letters, of any alphabet."""
    return relation(sum(map(str.isalpha, text)), N)


def counting_composition_fixed(text: str, n_sent: int, n_words: int) -> bool:
    """`* * *` or `***` separates three paragraphs of n_sent sentences of n_words words; punctuation is no word."""
    parts = sentences_of_three(n_sent, [part for part in re.split(r"\*\*\*|\* \* \*", text) if part.strip()])
    return bool(parts) and all(len(plain_words(sentence)) == n_words for part in parts for sentence in part)


def count_unique_fixed(text: str) -> bool:
    """No word occurs twice, in any case; punctuation is no word."""
    return all_different(plain_words(text))


def count_increment_word_fixed(text: str, keyword1: re.Pattern, keyword2: re.Pattern) -> bool:
    """The first keyword occurs exactly once, the second exactly twice, in any case, as whole words."""
    return count_increment_word(text, keyword1, keyword2)


FIXED: dict[str, Instruction] = {
    "copy:copy~fixed": Instruction(copy_fixed, {"prompt_to_repeat": TEXT}),
    "copy:copying_simple~fixed": Instruction(copy_fixed, {"prompt_to_repeat": TEXT}),
    "copy:copying_multiple~fixed": Instruction(copying_multiple_fixed, {"prompt_to_repeat": TEXT, "N": COUNT}),
    "new:copy_span_idx~fixed": Instruction(copy_span_idx_fixed, SPAN, together=span_exists),
    "detectable_format:sentence_hyphens~fixed": Instruction(sentence_hyphens_fixed),
    "detectable_format:square_brackets~fixed": Instruction(square_brackets_fixed),
    "detectable_format:bigram_wrapping~fixed": Instruction(bigram_wrapping_fixed),
    "keywords:no_adjacent_consecutive~fixed": Instruction(no_adjacent_consecutive_fixed),
    "keywords:word_once~fixed": Instruction(word_once_fixed, {"keyword": WHOLE_WORD}),
    "keywords:word_count_different_numbers~fixed": Instruction(word_count_fixed, FREQUENCY | {"keyword": WHOLE_WORD}),
    "keywords:exclude_word_harder~fixed": Instruction(exclude_word_harder_fixed, {"keyword": WORD}),
    "keywords:palindrome~fixed": Instruction(palindrome_fixed),
    "keywords:keyword_specific_position~fixed": Instruction(keyword_specific_position_fixed, POSITION),
    "keywords:start_end~fixed": Instruction(start_end_fixed),
    "first_word:first_word_sent~fixed": Instruction(first_word_sent_fixed, {"first_word": WORD}),
    "first_word:first_word_answer~fixed": Instruction(first_word_answer_fixed, {"first_word": WORD}),
    "count:lowercase_counting~fixed": Instruction(lowercase_counting_fixed, {"N": COUNT}),
    "count:counting_composition~fixed": Instruction(counting_composition_fixed, COMPOSITION),
    "count:count_unique~fixed": Instruction(count_unique_fixed),
    "count:count_increment_word~fixed": Instruction(
        count_increment_word_fixed, {"keyword1": WHOLE_WORD, "keyword2": WHOLE_WORD}
    ),
    "letters:letter_counting~fixed": Instruction(letter_counting_fixed, {"N": COUNT, "relation": RELATION}),
}
