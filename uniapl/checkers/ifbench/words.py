"""words: rules for every word, or for words in certain places."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice, pairwise

from uniapl.checkers import treebank
from uniapl.checkers.arguments import PHRASE, Instruction
from uniapl.checkers.ifbench.arguments import NUMBER, PUNCTUATION, no_punctuation
from uniapl.checkers.ifbench.english import is_verb
from uniapl.checkers.punkt import sentences, tokens_from_both_ends, word_tokens
from uniapl.checkers.sentences import plain_words

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
PRIMES = frozenset(n for n in range(2, 100) if all(n % d for d in range(2, n)))
MOST_VOWELS = 3
PALINDROMES, PALINDROME_LENGTH = 10, 5
_LONGER_THAN_WORDS = 1000  # characters: of a first token that is longer than any word a part will do
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_CLUSTER = re.compile("[bcdfghjklmnpqrstvwxyz]{2}")


def _words(text: str) -> list[str]:
    """The words in lower case, without ASCII punctuation."""
    return no_punctuation(text.lower()).split()


def alphabet(text: str) -> bool:
    """Each word begins with the letter after that of the word before; a follows z, any letter begins."""
    words = no_punctuation(text).split()
    if not words or (first := words[0][0].lower()) not in ALPHABET:
        return False
    start = ALPHABET.index(first)
    return all(word.lower()[0] == ALPHABET[(start + i) % 26] for i, word in enumerate(words[1:], start=1))


def alphabet_fixed(text: str) -> bool:
    """Each word begins with the letter after that of the word before; typographic marks are part of no word."""
    firsts = [ALPHABET.find(word[0]) for word in plain_words(text)]
    return bool(firsts) and min(firsts) >= 0 and all((after - before) % 26 == 1 for before, after in pairwise(firsts))


def vowel(text: str) -> bool:
    """At most three of the five vowels occur, and the text is a single line."""
    text = text.strip()
    return "\n" not in text and len(set("aeiou").intersection(text.lower())) <= MOST_VOWELS


def vowel_fixed(text: str) -> bool:
    """At most three of the five vowels occur, and no blank line makes a second paragraph."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "" not in lines and len(set("aeiou").intersection(text.lower())) <= MOST_VOWELS


def consonants(text: str) -> bool:
    """Every word has two consonants side by side (y is one)."""
    return all(_CLUSTER.search(word) for word in text.lower().split())


def consonants_fixed(text: str) -> bool:
    """Every word has two consonants side by side (y is one); punctuation alone is no word."""
    words = plain_words(text)
    return bool(words) and all(map(_CLUSTER.search, words))


def palindrome(text: str) -> bool:
    """At least ten words of five characters or more read the same backwards; repetitions count."""
    palindromes = (word for word in _words(text) if len(word) >= PALINDROME_LENGTH and word == word[::-1])
    return sum(1 for _ in islice(palindromes, PALINDROMES)) == PALINDROMES


def palindrome_fixed(text: str) -> bool:
    """At least ten words of five letters or more read the same backwards, beside any mark; repetitions count."""
    palindromes = (w for w in plain_words(text) if len(w) >= PALINDROME_LENGTH and w.isalpha() and w == w[::-1])
    return sum(1 for _ in islice(palindromes, PALINDROMES)) == PALINDROMES


def prime_lengths(text: str) -> bool:
    """The length of every word is a prime below 100."""
    return all(len(word) in PRIMES for word in no_punctuation(text).split())


def prime_lengths_fixed(text: str) -> bool:
    """Every word has a prime number of letters and digits below 100; typographic marks are none of them."""
    words = plain_words(text)
    return bool(words) and all(sum(map(str.isalnum, word)) in PRIMES for word in words)


def repeats(text: str, small_n: int) -> bool:
    """No word occurs more often than so many times."""
    return max(Counter(_words(text)).values(), default=0) <= small_n


def repeats_fixed(text: str, small_n: int) -> bool:
    """No word occurs more often than so many times, in any case and beside any mark."""
    return max(Counter(plain_words(text)).values(), default=0) <= small_n


def _syllables_alternate(words: Iterable[str]) -> bool:
    import syllapy

    return all(before != after for before, after in pairwise(syllapy.count(word) % 2 for word in words))


def odd_even_syllables(text: str) -> bool:
    """Words with an odd and an even number of syllables alternate, as syllapy counts them."""
    return _syllables_alternate(_words(text))


def odd_even_syllables_fixed(text: str) -> bool:
    """Words with an odd and an even number of syllables alternate; typographic marks are part of no word."""
    return _syllables_alternate(no_punctuation(word).replace("\u2019", "") for word in plain_words(text))


def no_consecutive(text: str) -> bool:
    """No word begins with the same character as the word before."""
    return all(before[0] != after[0] for before, after in pairwise(_words(text)))


def no_consecutive_fixed(text: str) -> bool:
    """No word begins with the same character as the word before, beside any mark."""
    return all(before[0] != after[0] for before, after in pairwise(plain_words(text)))


def last_first(text: str) -> bool:
    """The last word of each sentence is the first of the next, in any case and beside any mark."""
    for sentence, following in pairwise(sentences(text)):
        last = sentence.rstrip(PUNCTUATION).rsplit(maxsplit=1)[-1:]
        first = following.lstrip(PUNCTUATION).split(maxsplit=1)[:1]
        if not last or not first or last[0].lower() != first[0].lower():
            return False
    return True


def last_first_fixed(text: str) -> bool:
    """The last word of each sentence is the first of the next, in any case and beside any mark, "”" too."""
    cut = map(plain_words, sentences(text))
    return all(before and after and before[-1] == after[0] for before, after in pairwise(cut))


def paragraph_last_first(text: str) -> bool:
    """Each line ends with the word that it begins with, in any case; lines without a word do not count."""
    for line in text.lower().split("\n"):
        words = line.strip().strip(PUNCTUATION).split()
        if words and words[0] != words[-1]:
            return False
    return True


def paragraph_last_first_fixed(text: str) -> bool:
    """Each line ends with the word that it begins with, in any case; a comma may follow the first."""
    return all(words[0] == words[-1] for words in map(plain_words, text.split("\n")) if words)


def keywords_specific_position(text: str, keyword: str, n: int, m: int) -> bool:
    """The m-th word token of the n-th sentence is the keyword, in any case; tokens of marks alone do not count."""
    of_text = sentences(text)
    for sentence in of_text[n - 1 : n]:
        cut = (
            of_text if sentence == text.rstrip(treebank.WHITE) else sentences(sentence)
        )  # alone it may be cut otherwise
        words = filter(_LETTER_OR_DIGIT.search, chain.from_iterable(treebank.blocks(cut)))
        return next(islice(words, m - 1, m), "").lower() == keyword
    return False


def keywords_specific_position_fixed(text: str, keyword: str, n: int, m: int) -> bool:
    """The m-th word of the n-th sentence is the keyword, in any case; "don't" is one word."""
    return any(plain_words(sentence)[m - 1 : m] == [keyword] for sentence in sentences(text)[n - 1 : n])


def words_position(text: str, keyword: str) -> bool:
    """The second token is the keyword, and so is the last but one: as upstream a mark is a token, the very last apart.

    A single mark at the end is passed over, a second one and marks elsewhere are not.
    """
    forwards, backwards = tokens_from_both_ends(sentences(text))
    if [token.lower() for token in islice(forwards, 1, 2)] != [keyword]:
        return False
    last, *before = islice(backwards, 3)  # there are two at least
    place = 1 if last in PUNCTUATION else 0
    return len(before) > place and before[place].lower() == keyword


def _second_word(tokens: Iterable[str]) -> str:
    """In small letters; tokens without a letter or digit are no words."""
    return next(islice(filter(_LETTER_OR_DIGIT.search, tokens), 1, 2), "").lower()


def words_position_fixed(text: str, keyword: str) -> bool:
    """The second word and the last but one are the keyword; tokens without a letter or digit are no words."""
    forwards, backwards = tokens_from_both_ends([*filter(_LETTER_OR_DIGIT.search, sentences(text))])
    return _second_word(forwards) == keyword == _second_word(backwards)


def start_verb(text: str) -> bool:
    """The first word token is a verb by our list and endings.

    Not exact: upstream asks NLTK's tagger, whose weights are a download. The tagger also reads the next two words,
    and takes some imperatives for nouns; the list cannot know rare verbs. They agree on two of the three published
    sample responses.
    """
    return is_verb(next(word_tokens(text[:_LONGER_THAN_WORDS]), ""))


INSTRUCTIONS = {
    "words:alphabet": Instruction(alphabet),
    "words:vowel": Instruction(vowel),
    "words:consonants": Instruction(consonants),
    "words:palindrome": Instruction(palindrome),
    "words:prime_lengths": Instruction(prime_lengths),
    "words:repeats": Instruction(repeats, {"small_n": NUMBER}),
    "words:odd_even_syllables": Instruction(odd_even_syllables),
    "words:no_consecutive": Instruction(no_consecutive),
    "words:last_first": Instruction(last_first),
    "words:paragraph_last_first": Instruction(paragraph_last_first),
    "words:keywords_specific_position": Instruction(
        keywords_specific_position, {"keyword": PHRASE, "n": NUMBER, "m": NUMBER}
    ),
    "words:words_position": Instruction(words_position, {"keyword": PHRASE}),
    "words:start_verb": Instruction(start_verb),
}
FIXED = {
    "words:alphabet~fixed": Instruction(alphabet_fixed),
    "words:consonants~fixed": Instruction(consonants_fixed),
    "words:palindrome~fixed": Instruction(palindrome_fixed),
    "words:prime_lengths~fixed": Instruction(prime_lengths_fixed),
    "words:repeats~fixed": Instruction(repeats_fixed, {"small_n": NUMBER}),
    "words:odd_even_syllables~fixed": Instruction(odd_even_syllables_fixed),
    "words:no_consecutive~fixed": Instruction(no_consecutive_fixed),
    "words:last_first~fixed": Instruction(last_first_fixed),
    "words:paragraph_last_first~fixed": Instruction(paragraph_last_first_fixed),
    "words:keywords_specific_position~fixed": Instruction(
        keywords_specific_position_fixed, {"keyword": PHRASE, "n": NUMBER, "m": NUMBER}
    ),
    "words:vowel~fixed": Instruction(vowel_fixed),
    "words:words_position~fixed": Instruction(words_position_fixed, {"keyword": PHRASE}),
}
