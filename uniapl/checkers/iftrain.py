"""The 29 instruction types that IF-RLVR trains on beside IFEval's 25 (Pyatkin et al. 2025, arXiv 2507.02833).

`allenai/IF_multi_constraints_upto5` asks for up to five of the 54 (uniapl/data/public/ground_truth.py). The verdicts
are those of the checkers in allenai/open-instruct (open_instruct/IFEvalG) since ebca9f7 of April 2026, from which
`copy:repeat_phrase` looks at each repetition and not only at the last. They often ask for something else than their
prompt says; what the prompt says is in uniapl/checkers/iftrain_fixed.py. Except where upstream depends on chance or on
the machine, or fails:

- A span that starts at character 0, and letters other than a to z, are taken literally. Upstream draws others.
- Sentences within a sentence are cut by Punkt without a language model: nothing is downloaded. Upstream's knows
  abbreviations that have no full stop of their own, as "approx.".
- Keywords and phrases are literal text, not regular expressions; the training set draws them from plain words.
- A blank response follows nothing, also where upstream fails on it.
- A missing, unexpected or impossible argument raises. Upstream draws one or ignores it.

No checker takes quadratic time.
"""

import operator
import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice, pairwise

from uniapl.checkers import ifeval, punkt
from uniapl.checkers.arguments import (
    CHARACTER,
    COUNT,
    KEYWORD,
    PHRASE,
    RELATION,
    Argument,
    Instruction,
    Relation,
)
from uniapl.checkers.sentences import split_sentences

# copy ---------------------------------------------------------------------------------------------


def _repetitions(text: str, first: str, last: str) -> list[list[str]]:
    """The words of every stretch of a line from `first` to the next `last`."""
    opening, closing = f"{first} ", f" {last}"
    repetitions = []
    for line in text.split("\n"):
        start = line.find(opening)
        while start >= 0 and (end := line.find(closing, start + len(opening))) >= 0:
            end += len(closing)
            repetitions.append(line[start:end].split())
            start = line.find(opening, end)
    return repetitions


def _differences(text: str, phrase: str, small_n: int) -> list[int]:
    """By how many words each repetition differs; none unless there are `small_n`, all of the phrase's length."""
    words = phrase.split()
    repetitions = _repetitions(text, words[0], words[-1])
    if len(repetitions) != small_n or any(len(repetition) != len(words) for repetition in repetitions):
        return []
    return [sum(map(operator.ne, repetition, words)) for repetition in repetitions]


def repeat_phrase(text: str, phrase: str, small_n: int) -> bool:
    """The phrase occurs exactly so many times, each time with one other word between its first and its last."""
    return set(_differences(text, phrase, small_n)) == {1}


def copy(text: str, prompt_to_repeat: str) -> bool:
    """The text is the prompt, in any case."""
    return text.strip().lower() == prompt_to_repeat


def copying_multiple(text: str, prompt_to_repeat: str, N: int) -> bool:
    """The text is the prompt N times, in any case, with `******` between."""
    parts = text.split("******")
    return len(parts) == N and all(copy(part, prompt_to_repeat) for part in parts)


def copy_span_idx(text: str, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """The text is the prompt's characters from n_start, counted from 0, to before n_end, in any case."""
    return text.strip().lower() == prompt_to_repeat[n_start:n_end].strip().lower()


# detectable_format --------------------------------------------------------------------------------


def joined_sentences(text: str) -> tuple[list[str], tuple[str, ...]]:
    """What the hyphens separate, and the sentences of the text with blanks for hyphens."""
    return text.split("-"), split_sentences(text.replace("-", " "))


def sentence_hyphens(text: str) -> bool:
    """What the hyphens separate are the sentences, as far as there are as many of both."""
    parts, sentences = joined_sentences(text)
    return all(map(operator.eq, parts, sentences))


def square_brackets(text: str) -> bool:
    """Every word is in [square brackets], with its punctuation."""
    return all(word.startswith("[") and word.endswith("]") for word in text.split())


def bigram_wrapping(text: str) -> bool:
    """Every two words are in <<double angular brackets>>; a last word without partner may be anything."""
    words = text.split()
    return all(a.startswith("<<") and b.endswith(">>") for a, b in zip(words[::2], words[1::2], strict=False))


# keywords -----------------------------------------------------------------------------------------


def no_adjacent_consecutive(text: str) -> bool:
    """No word starts with the character that follows, in Unicode, the one that the word before starts with."""
    initials = [word[0].lower() for word in text.split()]
    # Upstream knows no following character of one whose small form is two (the Turkish dotted I), and fails both words.
    return all(len(a) == len(b) == 1 and ord(b) - ord(a) != 1 for a, b in pairwise(initials))


def word_once(text: str, keyword: re.Pattern) -> bool:
    """The keyword occurs exactly once, in any case, also inside a word."""
    return len(keyword.findall(text)) == 1


def exclude_word_harder(text: str, keyword: str) -> bool:
    """The keyword does not occur between two blanks, in this case; before punctuation or a line's end it may."""
    return f" {keyword} " not in text


def palindrome(text: str) -> bool:
    """A blank-separated word reads the same backwards; one of a single letter does."""
    return any(word == word[::-1] for word in text.split())


def keyword_specific_position(text: str, keyword: str, n: int, m: int) -> bool:
    """The m-th token of the n-th sentence is the keyword, in this case; punctuation marks are tokens."""
    sentences = split_sentences(text)
    return len(sentences) >= n and [*islice(punkt.word_tokens(sentences[n - 1]), m - 1, m)] == [keyword]


def start_end(text: str) -> bool:
    """The first and the last of several tokens are the same, in any case; punctuation marks are tokens."""
    forwards, backwards = punkt.tokens_from_both_ends(punkt.sentences(text))
    first = [*islice(forwards, 2)]
    return len(first) == 2 and first[0].lower() == next(backwards).lower()


# paragraphs ---------------------------------------------------------------------------------------


def paragraphs(text: str) -> bool:
    """`***` separates exactly two paragraphs. A blank part at either end is not counted."""
    return ifeval.number_paragraphs(text, 2)


def paragraphs2(text: str) -> bool:
    """Blank lines separate exactly two paragraphs. A blank part at either end is not counted."""
    first, *others = (bool(part.strip()) for part in text.split("\n\n"))
    return all(others[:-1]) and first + len(others[:-1]) + sum(others[-1:]) == 2


# first_word, last_word ----------------------------------------------------------------------------


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0].lower() if text.strip() else ""


def _last_word(text: str) -> str:
    """The last blank-separated word, in small letters, without any punctuation."""
    return re.sub(r"[^\w\s]", "", text.rsplit(maxsplit=1)[-1]).lower() if text.strip() else ""


def first_word_sent(text: str, first_word: str) -> bool:
    """Every sentence starts with the word, in any case, and a blank."""
    return all(_first_word(sentence) == first_word.lower() for sentence in split_sentences(text))


def first_word_answer(text: str, first_word: str) -> bool:
    """The text starts with the word, in any case, and a blank."""
    return _first_word(text) == first_word.lower()


def last_word_sent(text: str, last_word: str) -> bool:
    """Every sentence ends with the word, in any case, before its punctuation."""
    return all(_last_word(sentence) == last_word.lower() for sentence in split_sentences(text))


def last_word_answer(text: str, last_word: str) -> bool:
    """The text ends with the word, in any case, before its punctuation."""
    return _last_word(text) == last_word.lower()


# punctuation, count, letters ----------------------------------------------------------------------


def punctuation_dot(text: str) -> bool:
    """No full stop occurs."""
    return "." not in text


def punctuation_exclamation(text: str) -> bool:
    """No exclamation mark occurs."""
    return "!" not in text


def lowercase_counting(text: str, N: int) -> bool:
    """At most N words consist of the small letters a to z."""
    return len(re.findall(r"\b[a-z]+\b", text)) <= N


def letter_counting(text: str, N: int, relation: Relation) -> bool:
    """The text has enough (or few enough) letters, a to z in any case."""
    return relation(len(re.findall("[a-zA-Z]", text)), N)


def sentences_of_three(n_sent: int, parts: list[str]) -> list[list[str]]:
    """The sentences of each part, if there are three parts of n_sent sentences; else nothing."""
    sentences_by_part = [split_sentences(part) for part in parts] if len(parts) == 3 else []
    return sentences_by_part if all(len(part) == n_sent for part in sentences_by_part) else []


def counting_composition(text: str, n_sent: int, n_words: int) -> bool:
    """`***` separates three paragraphs of n_sent sentences of n_words tokens; punctuation marks are tokens."""
    parts = sentences_of_three(n_sent, re.split(r"\s?\*\*\*\s?", text))
    return bool(parts) and punkt.all_have_tokens(chain.from_iterable(parts), n_words)


def all_different(words: Iterable[str]) -> bool:
    seen = set()
    return not any(word in seen or seen.add(word) for word in words)


def count_unique(text: str) -> bool:
    """No token occurs twice, in the same case; punctuation marks are tokens."""
    if any(text.count(sign) > 1 for sign in ";@#$%&?!*()[]{}<>"):  # these are always tokens: spares cutting the text
        return False
    return all_different(punkt.word_tokens(text))


def count_increment_word(text: str, keyword1: re.Pattern, keyword2: re.Pattern) -> bool:
    """The first keyword occurs exactly once, the second exactly twice, in any case, also inside a word."""
    return len(keyword1.findall(text)) == 1 and len(keyword2.findall(text)) == 2


# arguments ----------------------------------------------------------------------------------------


def _word(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else value


def _is_word(value: object) -> bool:
    return isinstance(_word(value), str) and bool(_word(value).strip())


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


TEXT = Argument(PHRASE.expected, PHRASE.accepts, str)
INDEX = Argument("a whole number of at least 0", _is_index, int)
# Some rows have the word in a list, where upstream drew it.
WORD = Argument("a word, or a list that starts with it", _is_word, lambda value: _word(value).strip())


def span_exists(kwargs: Mapping) -> str | None:
    start, end, length = kwargs["n_start"], kwargs["n_end"], len(kwargs["prompt_to_repeat"])
    return None if start < min(end, length) else f"there is no span from {start} to {end} of {length} characters"


REPEATED = {"phrase": TEXT, "small_n": COUNT}
PROMPT = {"prompt_to_repeat": PHRASE}
SPAN = {"prompt_to_repeat": TEXT, "n_start": INDEX, "n_end": INDEX}
FREQUENCY = {"keyword": KEYWORD, "frequency": COUNT, "relation": RELATION}
POSITION = {"keyword": WORD, "n": COUNT, "m": COUNT}
COMPOSITION = {"n_sent": COUNT, "n_words": COUNT}

INSTRUCTIONS: dict[str, Instruction] = {
    "copy:repeat_phrase": Instruction(repeat_phrase, REPEATED),
    "copy:copy": Instruction(copy, PROMPT),
    "copy:copying_simple": Instruction(copy, PROMPT),
    "copy:copying_multiple": Instruction(copying_multiple, {**PROMPT, "N": COUNT}),
    "new:copy_span_idx": Instruction(copy_span_idx, SPAN, together=span_exists),
    "detectable_format:sentence_hyphens": Instruction(sentence_hyphens),
    "detectable_format:square_brackets": Instruction(square_brackets),
    "detectable_format:bigram_wrapping": Instruction(bigram_wrapping),
    "keywords:no_adjacent_consecutive": Instruction(no_adjacent_consecutive),
    "keywords:word_once": Instruction(word_once, {"keyword": KEYWORD}),
    "keywords:word_count_different_numbers": Instruction(ifeval.keyword_frequency, FREQUENCY),
    "keywords:exclude_word_harder": Instruction(exclude_word_harder, {"keyword": WORD}),
    "keywords:palindrome": Instruction(palindrome),
    "keywords:keyword_specific_position": Instruction(keyword_specific_position, POSITION),
    "keywords:start_end": Instruction(start_end),
    "paragraphs:paragraphs": Instruction(paragraphs),
    "paragraphs:paragraphs2": Instruction(paragraphs2),
    "first_word:first_word_sent": Instruction(first_word_sent, {"first_word": WORD}),
    "first_word:first_word_answer": Instruction(first_word_answer, {"first_word": WORD}),
    "last_word:last_word_sent": Instruction(last_word_sent, {"last_word": WORD}),
    "last_word:last_word_answer": Instruction(last_word_answer, {"last_word": WORD}),
    "punctuation:punctuation_dot": Instruction(punctuation_dot),
    "punctuation:punctuation_exclamation": Instruction(punctuation_exclamation),
    "count:lowercase_counting": Instruction(lowercase_counting, {"N": COUNT}),
    "count:counting_composition": Instruction(counting_composition, COMPOSITION),
    "count:count_unique": Instruction(count_unique),
    "count:count_increment_word": Instruction(count_increment_word, {"keyword1": KEYWORD, "keyword2": KEYWORD}),
    "letters:letter_counting": Instruction(letter_counting, {"N": COUNT, "relation": RELATION}),
    "letters:letter_counting2": Instruction(
        ifeval.letter_frequency, {"letter": CHARACTER, "let_frequency": COUNT, "let_relation": RELATION}
    ),
}
