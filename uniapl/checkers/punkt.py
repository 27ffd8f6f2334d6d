"""Sentences, and their word tokens, one at a time: most checkers know their verdict after a few tokens.

Sentences are those of Punkt without a language model (Kiss and Strunk 2006), NLTK's
`PunktSentenceTokenizer(PunktParameters())`, restated as one regular expression because NLTK's own takes a second for
100 kB of full stops. A test compares the two.

A piece is what stands between blanks, a mark is `.`, `?` or `!`, and a possible end is a mark before a sign that breaks
words or before white space and more. Punkt asks about the last possible end of a piece and about one at its start. A
sentence ends there if a token ends one, from the start of the piece to the end of the word after it, its last token
aside. Tokens that end one are marks, and those with a full stop at the end that are not dots, nor initials or numbers
before something that may go on. All others are quiet here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice

import regex  # as NLTK: its \w and \d differ from re's, which is ten times as fast

from uniapl.checkers import treebank

_SIGNS = "".join(map(chr, [*range(0x40000), *range(0xE0000, 0xE1000)]))  # no others are letters or digits


def _one_of(runs: Iterable[str]) -> str:
    """One sign of these runs of neighbours. Those above U+FFFF stand apart: re tries each of their runs for a sign."""
    ranges = [(re.escape(run[0]), re.escape(run[-1])) for run in runs]
    n_low = sum(first <= "\uffff" for first, _ in ranges)
    low, high = ("".join(f"{first}-{last}" for first, last in some) for some in (ranges[:n_low], ranges[n_low:]))
    return rf"(?:[{low}]|(?=[{ranges[n_low][0]}-{ranges[-1][1]}])[{high}])"


def _class_where(holds: Callable[[str], bool]) -> str:
    return _one_of("".join(run) for holds_for_run, run in groupby(_SIGNS, holds) if holds_for_run)


_LETTER = _one_of(regex.findall(r"[^\W\d]+", _SIGNS))
_DIGIT = _one_of(regex.findall(r"\d+", _SIGNS))
_LOWER = _class_where(str.islower)
_CASED = _class_where(lambda sign: sign.islower() or sign.isupper())

_BLANK = r" \t\n\r\v\f"
_WIDE = r"\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # white space within a piece
_WHITE, _IN_LINE = _BLANK + _WIDE, _WIDE + r" \t\r\v\f"
_CONTROLS = r"\x1c-\x1f"  # blank to Python and not to regex
_BREAKS_WORDS = r""")("'\[\]{}:;*@?!‘’“”«»"""
_STARTS_NO_WORD = r"""\-,:;`"&#*@()\[\]{}"""
_LONGER = rf"^{_WHITE}{_BREAKS_WORDS}.,\-"  # after a sign that may start a word: the word is longer

_POSSIBLE_END = rf"[.?!](?=[{_BREAKS_WORDS}]|[{_WHITE}]++[^{_WHITE}])"
_LAST_END = rf"[^{_BLANK}]*{_POSSIBLE_END}"  # from here on in the piece
_NO_TOKEN_FOLLOWS = rf"(?=[{_IN_LINE}]*+\n[{_WHITE}]*+[{_CONTROLS}]++(?![^{_WHITE}]))"

# Stops with white space between them are one token, three at least: what follows the first of them.
_TWO_STOPS = rf"[{_WIDE}]\.[{_IN_LINE}]\."
_QUIET_STOPS = (  # nothing follows them, or a stop alone
    rf"(?:(?:[{_WIDE}]\.){{2,}}+(?:(?![{_WHITE}]*+[^{_WHITE}])|{_NO_TOKEN_FOLLOWS})"
    rf"|(?:[{_WIDE}]\.)++(?=[ \t\r\v\f]\.(?![^{_WHITE}])))"
)


def _tokens(dots: str) -> tuple[str, str, str]:
    """What ends a word, a word, and a number before a full stop, with it. Dots: what follows the first of several."""
    end = rf"(?:(?![^{_WHITE}])|[{_BREAKS_WORDS}]|--|\.(?:{dots}))"
    signs = rf"\.(?!{dots})|,(?!{end})|-(?!-)"
    word = rf"(?:[^{_WHITE}{_STARTS_NO_WORD}.]|\.(?!{dots}))(?:[^{_WHITE}{_BREAKS_WORDS}.,\-]++|{signs})*+"
    number = rf"\.?{_DIGIT}(?:{_DIGIT}++|{signs})*+(?<=\.)"
    return end, word, number


def _unmarked(word: str) -> str:
    return rf"(?>{word}|-{{2,}}+|[^{_WHITE}])(?<![.?!])"


# What follows a possible end, up to white space: quiet but for its last token, which any may be.
_NEXT_END, _NEXT_WORD, _NEXT_NUMBER = _tokens(r"\.")
_QUIET_IN_NEXT = (
    rf"(?:\.{{2,}}+|{_unmarked(_NEXT_WORD)}"
    rf"|(?:{_LETTER}\.|{_NEXT_NUMBER})(?=[:;]|,{_NEXT_END}|[?!](?:{_NEXT_END}|,{_NEXT_END})))"
)
_QUIET_NEXT = (
    rf"(?:(?:[?!](?=[{_LONGER}]))?+[^{_WHITE}.?!]*+(?:[?!]|\.*+)(?![^{_WHITE}])"  # most are
    rf"|{_QUIET_IN_NEXT}*+(?:{_NEXT_WORD})?+(?![^{_WHITE}]))"
)

# The tokens of a piece.
_END, _WORD, _NUMBER = _tokens(rf"\.|{_TWO_STOPS}")
_LATER_END = rf"[{_WIDE}]++[^{_WHITE}]*{_POSSIBLE_END}"  # so that this one is not asked about


def _goes_on(letter: str) -> str:
    """After an initial or number: a token of one mark, or one that begins with such a letter."""
    return (
        rf"(?!(?:[{_WIDE}]++\.)?{_TWO_STOPS})"
        rf"(?=[{_WHITE}]++(?:(?=[:;,]|{letter}){_QUIET_NEXT}|[.?!](?![^{_WHITE}]))"
        rf"|(?=[{_WIDE}]++(?:[:;,]|{letter})){_LATER_END}"
        rf"|[:;]|,{_END}|[?!](?:{_END}|,{_END}|(?!{_LAST_END})))"
    )


_QUIET = (
    rf"(?:{_LETTER}\.{_goes_on(_CASED)}|{_unmarked(_WORD)}"
    rf"|\.{{2,}}+(?=[^{_WHITE}]|[{_WHITE}]*+{_QUIET_NEXT}|{_LATER_END})|{_NUMBER}{_goes_on(_LOWER)}|\.{_QUIET_STOPS}"
    rf"|(?>{_WORD}){_NO_TOKEN_FOLLOWS})"
)
# Most ends are told by their mark, by what follows, or by what is no initial and no number before a full stop.
_INNER, _LAST = rf"[^{_WHITE}{_STARTS_NO_WORD}.]", rf"[^{_WHITE}.,\-]"  # signs of a word
_SURE = (
    rf"(?:(?<=[?!])|(?<=[^.{_WHITE}]\.)"
    rf"(?=[{_WHITE}]*+(?!{_CASED})[^{_WHITE}:;,.?!]|[{_WHITE}]++[.?!][{_LONGER}])"
    rf"|(?<={_INNER}{_LAST}\.)(?<!{_DIGIT}{_DIGIT}\.)|(?<=[{_BREAKS_WORDS}]\.)"
    rf"|(?<={_INNER}[.,\-]{_LAST}\.)(?<!{_DIGIT}[.,\-]{_DIGIT}\.)|(?<=[^.,\-][,\-]\.)(?<!{_DIGIT}[,\-]\.)"
    rf")(?!{_NO_TOKEN_FOLLOWS})"
)
_FIRST_SIGN = rf"{_POSSIBLE_END}(?<!\A[{_BLANK}].)(?!{_NO_TOKEN_FOLLOWS})"  # Punkt overlooks one after a first blank
_PIECE_WITH_END = (
    rf"(?:{_FIRST_SIGN}|(?>{_LAST_END}){_SURE}"
    rf"|(?=[^{_BLANK}.?!]*+[.?!])[{_WIDE}]*+(?>(?![{_BLANK}]){_QUIET}[{_WIDE}]*+)*+{_LAST_END})"
)
_QUIET_INITIAL = (  # alone, as most are
    rf"(?=[^{_BLANK}]\.[{_BLANK}][{_WHITE}]*+(?:{_CASED}|[:;,]|[.?!](?![^{_WHITE}])))"
    rf"{_LETTER}\.(?=[{_BLANK}][{_WHITE}]*+{_QUIET_NEXT})"
)
_CLOSERS = r"""["')\]}‘’“”«»]+?"""
# Groups: a sentence; whether its end is found; what closes it, and the white space before; what of the next that takes.
_SENTENCE = re.compile(
    # After an end within a piece a later one in it is sure, but for stops with white space between them.
    rf"((?<=[^{_BLANK}])(?!(?<=\.){_QUIET_STOPS}){_LAST_END}"
    rf"|(?:(?<=[^{_BLANK}])[^{_BLANK}]*+)?+"
    rf"(?:(?(2)(?!))[^.?!]*(?<![^{_BLANK}])(?:{_QUIET_INITIAL}|{_PIECE_WITH_END}()|[^{_BLANK}]*+))*+)"
    rf"(?=([{_WHITE}]*+{_CLOSERS})(?:[{_WHITE}]|--|[{_CONTROLS}{_WHITE}]*\Z))?+"
    rf"[{_BLANK}]*+(?:[{_WIDE}]++[{_BLANK}]++)*+"
    rf"(?=([{_WIDE}]*+(?:{_CLOSERS}(?:[{_WHITE}]++|(?=--|[{_CONTROLS}{_WHITE}]*\Z)))?))"
)
_HAS_POSSIBLE_END = re.compile(_POSSIBLE_END)
_LONG = 1000  # characters: what is longer is cut alone, only as far as needed


def sentences(text: str) -> list[str]:
    """The sentences of the text in order, each with the quotes and brackets that close after its end."""
    # split, which makes no tuples: the garbage collector would go through those of 30,000 sentences.
    parts = _SENTENCE.split(text.rstrip(treebank.WHITE))
    bodies, closed, openings = parts[1::5], parts[3::5], parts[4::5]
    if any(openings):
        before = ["", *openings[:-1]]
        bodies = [body[len(lost) :] + (won or "") for body, won, lost in zip(bodies, closed, before, strict=True)]
    while bodies and not bodies[-1].rstrip():
        bodies.pop()
    return [*bodies[:-1], bodies[-1].rstrip()] if bodies else []


def word_tokens(text: str) -> Iterator[str]:
    """The words and punctuation marks, sentence by sentence."""
    return chain.from_iterable(treebank.blocks(sentences(text)))


def _from_the_end(sentences_left: list[str]) -> Iterator[str]:
    n = 1
    while sentences_left:
        yield from reversed(treebank.tokens(*sentences_left[-n:]))
        del sentences_left[-n:]
        n *= 2


def tokens_from_both_ends(text_sentences: Sequence[str]) -> tuple[Iterator[str], Iterator[str]]:
    """The word tokens of sentences, the first first; and the last first: of the last, of the two before it, of four."""
    if len(text_sentences) == 1:  # may be long, and is cut once
        tokens = treebank.tokens(*text_sentences)
        return iter(tokens), reversed(tokens)
    return chain.from_iterable(treebank.blocks(text_sentences)), _from_the_end([*text_sentences])


def _short_have_tokens(texts: list[str], n: int) -> bool:
    cut = [sentences(text) if _HAS_POSSIBLE_END.search(text) else [text.rstrip()] for text in texts]
    numbers = treebank.numbers_of_tokens(*chain.from_iterable(cut))
    return all(sum(islice(numbers, len(tokens_of_text))) == n for tokens_of_text in cut)


def all_have_tokens(texts: Iterable[str], n: int) -> bool:
    """Whether each text has n word tokens; those of short texts are cut together."""
    short, size = [], 0
    for text in texts:
        if len(text) > _LONG:
            if sum(1 for _ in islice(word_tokens(text), n + 1)) != n:
                return False
        else:
            short.append(text)
            size += len(text)
            if size > _LONG:
                if not _short_have_tokens(short, n):
                    return False
                short, size = [], 0
    return _short_have_tokens(short, n)
