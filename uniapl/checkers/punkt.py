"""Sentences, and their word tokens, one at a time: most checkers know their verdict after a few tokens.

Sentences are those of Punkt without a language model (Kiss and Strunk 2006), NLTK's
`PunktSentenceTokenizer(PunktParameters())`, restated because NLTK's own takes a second for 100 kB of full stops. A
test compares the two.
"""

import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, pairwise

import regex  # as NLTK: its \s and \w differ from re's in a few characters

from uniapl.checkers import treebank

_BLANK = r" \t\n\r\v\f"
# re is ten times as fast as regex here, and has regex's white space spelled out.
_WHITE = rf"{_BLANK}\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BREAKS_WORDS = r"""[)("'\[\]{}:;*@?!‘’“”«»]"""
_RUN = rf"(?:-{{2,}}|\.{{2,}}|(?:\.[{_WHITE}]){{2,}}\.)"
_RUN_STARTS = rf"(?:--|\.\.|\.[{_WHITE}]\.[{_WHITE}]\.)"  # to look for a run: it may be long
_WORD_ENDS = rf"(?![^{_WHITE}])|{_BREAKS_WORDS}|{_RUN_STARTS}"
_WORD = rf"""[^{_WHITE}\-,:;`"&#*@()\[\]{{}}][^{_WHITE}]*?(?={_WORD_ENDS}|,(?:{_WORD_ENDS}))"""
_TOKEN = re.compile(rf"{_RUN}|{_WORD}|[^{_WHITE}]")
_CONTROLS = "\x1c\x1d\x1e\x1f"  # blank to Python and not to regex
_GO_ON = ";:,.!?"  # before these a sentence may go on; before letters too
_AFTER = rf"{_BREAKS_WORDS}|[{_WHITE}]+[^{_WHITE}]"  # what makes of a mark a possible end
_POSSIBLE_END = re.compile(rf"[.?!](?={_AFTER})")
_LAST = rf"(?=(?:[^{_BLANK}.?!]|[.?!](?!{_AFTER}))*+(?![^{_BLANK}]))"  # of the possible ends in a piece between blanks
_FIRST = rf"(?<=(?<![^{_BLANK}])(?<!\A[{_BLANK}])[.?!])"  # of a piece, but not after one blank at the start of the text
# The rest of a piece in which no sentence ends. After an initial a sentence goes on to a letter with a case, unless one
# ends in the next piece; most letters are passed over at once.
_QUIET = rf"[^{_WHITE}.?!]*+(?:[?!]|\.*+)(?![^{_WHITE}])"
_QUIET_PIECE = re.compile(rf"[^{_WHITE}.?!]{_QUIET}|[.?!](?![^{_WHITE}])")
_CASED = "".join(sign for sign in map(chr, range(0x600)) if sign.isalpha() and (sign.islower() or sign.isupper()))
_STARTS_TOKEN = rf"(?<=[{_BLANK})(\"\[\]{{}}:;*@])"  # what follows these starts a token
_INITIAL_STOPS = "|".join(
    rf"(?<=(?<![^{_BLANK}])[^{_BLANK}.?!]{{{n}}}{_STARTS_TOKEN if n else ''}[{_CASED}]\.)" for n in range(4)
)
_INITIAL_GOES_ON = rf"(?:{_INITIAL_STOPS})(?=[:;?!]|[{_BLANK}][{_WHITE}]*+[{_CASED}]{_QUIET})"
# Tokens that end no sentence: an initial that goes on, one that ends in no mark, dots.
_QUIET_TOKENS = (
    rf"(?:[{_CASED}]\.(?=[:;]|,(?:{_WORD_ENDS})|[{_WHITE}]++[{_CASED}])"
    rf"|(?!{_RUN_STARTS})(?>{_WORD}|[^{_WHITE}])(?<![.?!])|-{{2,}}+|\.{{2,}}+)++"
)
_QUIET_START = re.compile(rf"(?:{_QUIET_TOKENS}[{_WHITE}]*+)*+")
# Pieces of these alone, that end in a mark, before another of these alone: no sentence ends there.
_QUIET_PIECES = (
    rf"(?<=[{_BLANK}])(?>{_QUIET_TOKENS}(?<=[.?!])[{_BLANK}][{_WHITE}]*+)+"
    rf"(?={_QUIET_TOKENS}(?![^{_WHITE}]))"
)
_SPLIT_STOPS = "." + treebank.WHITE  # before a full stop: it may end a token of dots alone
_CLOSERS = "\"')]}‘’“”«»"
_NUMBER = regex.compile(r"-?[.,]?\d[\d,.\-]*")
_INITIAL = regex.compile(r"[^\W\d]\.")
_BLANKS = re.compile(rf"[{_BLANK}]")
_DOTS = re.compile(rf"[^{_WHITE}.?!]*+\.{{2,}}")  # after what ends no sentence
_NEXT_PIECE = re.compile(rf"[^{_WHITE}]+")
_LONG = 1000  # characters: what is longer is cut alone, only as far as needed
_SHORT = 100  # characters: what is longer is hardly seen twice and not worth keeping
# A token that ends in one of these and a full stop is no initial and no number, so it ends a sentence.
_INSIDE = r"""[^\d\s\-,.:;`"&#*@()\[\]{}'?!‘’“”«»]"""  # of a token, and of none that is a number
_ENDINGS = (
    r"[^\w\s,.\-\u0100-\U0010ffff]",  # further signs may be letters to regex
    rf"{_INSIDE}\w",
    r"\w[^\W\d]",
    r"[^\W\d]-",
    *(rf"{_INSIDE}\d{{{n}}}" for n in (2, 3, 4)),
    rf"{_INSIDE}[-.]\w",
    r"\w[-.][^\W\d]",
    r"'\w",
    rf"(?<![^{_BLANK}])(?:[?!]\w|\.[^\W\d])",
)
_ENDING = re.compile(rf"(?:{'|'.join(_ENDINGS)})\Z")
_AFTER_ENDING = "|".join(rf"(?<={ending}\.)" for ending in _ENDINGS)
_BEFORE = rf"(?<=(?<![^{_BLANK}])\.)|(?<![{_BLANK}]\w\.)(?:{_AFTER_ENDING})"
_CLOSER = rf"[{re.escape(_CLOSERS)}]"
_CLOSING = re.compile(rf"({_CLOSER}+?)(?:[{_WHITE}]+|(?=--)|$)", re.MULTILINE)
_UNCASED = (  # not all that there are
    r"0-9#$%&(*+/<=>@\[\\^_`{|~\-\u0590-\u06ff\u0900-\u0fff\u3041-\ua63f\uac00-\ud7a3\U0001f300-\U0001faff"
)
# The end of a sentence for which no token need be looked at: `?`, `!`, or a full stop alone, after one of these or
# before a character without a case; and what closes it, before a blank.
# Or one before `?` or `!`, at the start of a piece or the last in it.
_SURE = (
    rf"(?={_CLOSER}*+[{_BLANK}])"
    rf"(?:(?:(?<=[?!])|{_BEFORE})(?:{_CLOSER}++(?=[{_BLANK}][{_WHITE}]*+[^{_WHITE}])"
    rf"|(?=[{_BLANK}][{_WHITE}]*+[^{_WHITE}{_CONTROLS}](?<!{_CLOSER})))"
    rf"|(?<=[^.{_WHITE}]\.)(?=[{_BLANK}][{_WHITE}]*+[{_UNCASED}]))"
    rf"|(?=[?!])(?:{_FIRST}|{_LAST}(?:(?<=[?!])|{_BEFORE}))"
    rf"|{_FIRST}(?=[{_WHITE}]++[^{_WHITE}{_CONTROLS}](?<!{_CLOSER}))"
)
# Three full stops with one white space between each are one token.
_STOPS_GO_ON = rf"(?<=(?<![^{_BLANK}])\.[{_WHITE}]\.)(?=[ \t\r\v\f]\.(?![^{_WHITE}]))"
# One that is not sure, the first or the last of its piece.
_UNSURE = rf"(?={_AFTER})(?!(?<=[?!])[?!])(?:{_FIRST}|{_LAST})(?!{_INITIAL_GOES_ON}|{_STOPS_GO_ON})"
# Group 1: an end. Group 2 is there if it is sure. Group 3: the white space after it; if it is unsure, quiet pieces too.
_END = re.compile(rf"([.?!](?:(?:{_SURE})()|{_UNSURE}))([{_WHITE}]*+(?(2)|(?:{_QUIET_PIECES})?))")


def _ends_sentence(token: str, following: str) -> bool:
    """Whether a token that ends in a mark ends a sentence; after the full stop of an initial or number it may go on."""
    if token in ("?", "!", "."):
        return True
    if token[-1] != "." or token[-2] == ".":
        return False
    initial = _INITIAL.fullmatch(token)
    if not initial and not _NUMBER.fullmatch(token.lower()):
        return True
    goes_on = following in tuple(_GO_ON) or following[0].islower() or (initial and following[0].isupper())
    return not goes_on


def _holds_end(context: str) -> bool:
    """Whether a sentence ends before the last token of the context. Looks at the first tokens only where these tell."""
    first, *lines = filter(str.strip, context.split("\n"))
    first = first[_QUIET_START.match(first).end() :]
    found = chain.from_iterable(map(_TOKEN.finditer, [first, *lines]))
    for token, following in pairwise(map(operator.itemgetter(0), found)):
        if token[-1] in ".?!" and _ends_sentence(token, following):
            return True
    return False


_known_to_hold_end = lru_cache(maxsize=4096)(_holds_end)


def _by_tokens(piece: str, white: str, rest: str) -> bool:
    """Whether a sentence ends after the piece, by the tokens of this and of the next, or of the sign that follows."""
    context = piece + (white + _NEXT_PIECE.match(rest)[0] if white else rest[0])
    return (_known_to_hold_end if len(context) < _SHORT else _holds_end)(context)


def _ending(piece: str) -> re.Match | None:
    """What tells before a full stop at the end of the piece, but for one after a full stop, that it ends a sentence."""
    return _ENDING.search(piece, max(len(piece) - 6, 0), len(piece) - 1)


def _ends(piece: str, white: str, rest: str) -> bool:
    """Whether a sentence ends at the possible end after the piece, before white space and the rest of the text."""
    following, name = rest[0], piece[:-1]
    if not name or piece[-1] != ".":
        ends = following not in _CONTROLS
    elif name[-1] in _SPLIT_STOPS or following in _CONTROLS:
        if _DOTS.fullmatch(piece) and (not white or _QUIET_PIECE.match(rest)):
            return False
        ends = False
    elif name.isdecimal() or (len(name) == 1 and name.isalpha()):
        if following not in _GO_ON and not following.islower() and (name.isdecimal() or not following.isupper()):
            return True
        if not white or _QUIET_PIECE.match(rest):
            return False
        ends = False
    elif following not in _GO_ON and not following.islower() and not following.isupper():
        ends = True  # an initial and a number go on before a letter with a case only
    else:
        ends = (following not in _GO_ON and len(name) > 1 and name.isalnum()) or _ending(piece)
    return bool(ends) or _by_tokens(piece, white, rest)


def sentences(text: str) -> list[str]:
    """The sentences of the text in order, each with the quotes and brackets that close after its end."""
    parts = ["", "", "\n", *_END.split(text)]  # an end, whether sure, white space, a start; and so on; the rest
    unsure = [4 * i for i, sure in enumerate(parts[5::4], start=1) if sure is None]
    parts[1::4] = [""] * len(parts[1::4])
    runs = []  # of ends that are none: the first, and the end after the last
    for i in unsure:
        piece = _BLANKS.split("".join(parts[i - 4 : i]))[-1] + parts[i]
        quiet = parts[i + 2].lstrip(treebank.WHITE)
        white, rest = parts[i + 2].removesuffix(quiet), quiet + "".join(parts[i + 3 : i + 12])
        if not _ends(piece, white, rest):
            if runs and runs[-1][1] == i:
                runs[-1][1] = i + 4
            else:
                runs.append([i, i + 4])
            continue
        parts[i + 2 : i + 4] = white, quiet + parts[i + 3]
        if rest[0] in _CLOSERS:
            # Before the next mark or the end of the text.
            closing = _CLOSING.match(parts[i + 3] + parts[i + 4] if i + 4 < len(parts) else parts[i + 3].rstrip())
            if closing:
                parts[i] += white + closing[1]
                parts[i + 2], parts[i + 3] = closing[0][closing.end(1) :], parts[i + 3][closing.end() :]
    found, done = [], 3
    for i, n in runs:
        found += map(operator.add, parts[done : i - 4 : 4], parts[done + 1 : i - 3 : 4])
        found.append("".join(parts[i - 1 : n + 1]))
        done = n + 3
    found += map(operator.add, parts[done::4], [*parts[done + 1 :: 4], ""])
    last = found.pop().rstrip()
    return [*found, last] if last else found


def word_tokens(text: str) -> Iterator[str]:
    """The words and punctuation marks, sentence by sentence."""
    return chain.from_iterable(treebank.blocks(sentences(text)))


def _from_the_end(found: list[str]) -> Iterator[str]:
    n = 1
    while found:
        yield from reversed(treebank.tokens(*found[-n:]))
        del found[-n:]
        n *= 2


def tokens_from_both_ends(found: Sequence[str]) -> tuple[Iterator[str], Iterator[str]]:
    """The word tokens of sentences, the first first; and the last first: of the last, of the two before it, of four."""
    if len(found) == 1:  # may be long, and is cut once
        tokens = treebank.tokens(*found)
        return iter(tokens), reversed(tokens)
    return chain.from_iterable(treebank.blocks(found)), _from_the_end([*found])


def _short_have_tokens(texts: list[str], n: int) -> bool:
    cut = [sentences(text) if _POSSIBLE_END.search(text) else [text.rstrip()] for text in texts]
    numbers = treebank.numbers_of_tokens(*chain.from_iterable(cut))
    return all(sum(islice(numbers, len(one))) == n for one in cut)


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
