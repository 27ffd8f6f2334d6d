"""Sentences, and their word tokens, one at a time: most checkers know their verdict after a few.

Sentences are those of Punkt without a language model (Kiss and Strunk 2006), NLTK's
`PunktSentenceTokenizer(PunktParameters())`, restated because NLTK's own takes a second for 100 kB of full stops. A
test compares the two.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, pairwise

import regex  # as NLTK: its \s and \w differ from re's in a few characters

from uniapl.checkers import treebank

_BLANK = r" \t\n\r\v\f"
_BREAKS_WORDS = r"""[)("'\[\]{}:;*@?!‘’“”«»]"""
_RUN = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_WORD = rf"""[^\s\-,:;`"&#*@()\[\]{{}}]\S*?(?=\s|$|{_BREAKS_WORDS}|{_RUN}|,(?:$|\s|{_BREAKS_WORDS}|{_RUN}))"""
_TOKEN = regex.compile(rf"{_RUN}|{_WORD}|\S")
# The last place of a piece between blanks where a sentence can end. Group 1 begins the next piece.
# re is ten times as fast here, and has regex's white space spelled out.
_WHITE = rf"{_BLANK}\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARK = rf"[.?!](?={_BREAKS_WORDS}|[{_WHITE}]+([^{_WHITE}]))"
_FIRST_MARK = re.compile(_MARK)
_CANDIDATE = re.compile(rf"(?<![^{_BLANK}])[^{_BLANK}]*{_MARK}")
_CLOSERS = "\"')]}‘’“”«»"
_CLOSING = regex.compile(rf"[{regex.escape(_CLOSERS)}]+?(?:\s+|(?=--)|$)", regex.MULTILINE)
_PIECE = regex.compile(r"\s*\S+")
_NUMBER = regex.compile(r"-?[.,]?\d[\d,.\-]*")
_INITIAL = regex.compile(r"[^\W\d]\.")
_SHORT = 100  # characters: what is longer is hardly seen twice and not worth keeping


def _ends_sentence(token: str, following: str) -> bool:
    """Whether a token ends a sentence: `?`, `!` or a full stop, but for initials and numbers that go on."""
    if token in ("?", "!", "."):
        return True
    if not token.endswith(".") or token.endswith(".."):
        return False
    initial = _INITIAL.fullmatch(token)
    if not initial and not _NUMBER.fullmatch(token.lower()):
        return True
    goes_on = following in tuple(";:,.!?") or following[0].islower() or (initial and following[0].isupper())
    return not goes_on


def _holds_end(context: str) -> bool:
    """Whether a sentence ends before the last token of the context."""
    tokens = [token for line in context.split("\n") if line.strip() for token in _TOKEN.findall(line)]
    return any(_ends_sentence(*pair) for pair in pairwise(tokens))


_known_to_hold_end = lru_cache(maxsize=4096)(_holds_end)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """The sentences' first and last places, closing quotes not yet given back."""
    start = 0
    for found in _CANDIDATE.finditer(text):
        piece, end, begin = found[0], found.end(), found.start(1)
        # A mark that begins the piece ends a sentence too, but not after one blank at the start of the text.
        if piece[0] in ".?!" and len(piece) > 1 and found.start() != 1:
            if first := _FIRST_MARK.match(text, found.start()):
                yield start, first.end()
                start = first.end() if first.start(1) < 0 else first.start(1)
        # A plain word with a full stop ends a sentence, and so does a mark alone, whatever follows.
        word = piece[:-1]
        plain = piece[-1] != "." or not word or (len(word) > 1 and word.isalnum() and not word.isdecimal())
        # The second half is for control characters, which are blank to Python and not to regex.
        if not plain or (begin >= 0 and text[begin].isspace()):
            context = piece + (text[end] if begin < 0 else _PIECE.match(text, end)[0])
            if not (_known_to_hold_end if len(context) < _SHORT else _holds_end)(context):
                continue
        yield start, end
        start = end if begin < 0 else begin
    yield start, len(text.rstrip())


def sentences(text: str) -> Iterator[str]:
    """The sentences of the text in order, each with the quotes and brackets that close after its end."""
    spans = _spans(text)
    begin, end = next(spans)
    for next_begin, next_end in spans:
        closing = None
        if text[next_begin : next_begin + 1] in _CLOSERS:
            # Looked for within the next sentence alone, which may be all quotes.
            closing = _CLOSING.match(text, next_begin, next_end)
        if closing:
            yield text[begin : next_begin + len(closing[0].rstrip())]
            next_begin = closing.end()
        elif begin < end:
            yield text[begin:end]
        begin, end = next_begin, next_end
    if begin < end:
        yield text[begin:end]


_known_tokens = lru_cache(maxsize=4096)(treebank.tokens)


def _tokens(sentence: str) -> Iterable[str]:
    return (_known_tokens if len(sentence) < _SHORT else treebank.lazy_tokens)(sentence)


def word_tokens(text: str) -> Iterator[str]:
    """The words and punctuation marks, sentence by sentence."""
    return chain.from_iterable(map(_tokens, sentences(text)))


def tokens_from_the_end(text: str) -> Iterator[str]:
    """The word tokens, the last first."""
    return chain.from_iterable(reversed([*_tokens(sentence)]) for sentence in reversed([*sentences(text)]))
