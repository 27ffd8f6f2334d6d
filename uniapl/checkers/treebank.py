"""The word tokens of a sentence, those of NLTK's `NLTKWordTokenizer` (Penn Treebank's rules), restated.

NLTK's own takes a tenth of a second for 100 kB of brackets and a second to import. A test compares the two.
"""

import re
from collections.abc import Iterator

import regex  # as NLTK: its \s and \w differ from re's in a few characters

WHITE = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501
_OPEN_QUOTES, _CLOSE_QUOTES = "«“‘„", "»”’"
_AFTER_STOP = "])}>\"'»”’ "
_MARKS_BEFORE_QUOTES, _MARKS_AFTER_QUOTES = ";@#$%&\u2012\u2013\u2014\u2015?!", "*[](){}<>"  # each is a token
_BACKTICKS = re.compile("`+")
_OPENING = re.compile(r"""(?<=[ (\[{<])(?:"|'')""")
_QUOTED_WORD = regex.compile(r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", regex.IGNORECASE)
_COMMA = re.compile(r"[:,]\D")  # takes what follows, so that of two only the first is padded
_DOTS = re.compile(r"\.{2,}")
_QUOTE_AFTER = re.compile(r"(?<=[^'])' ")
_BLANKS = re.compile(f"[{WHITE}]+")
_CLITIC = re.compile(r"(?<=[^' ])(?='[sSmMdD]? )")
_LONGER_CLITIC = re.compile(r"(?<=[^' ])(?=(?:'ll|'LL|'re|'RE|'ve|'VE|n't|N'T) )")
_MAY_CONTRACT = re.compile("cannot|d'ye|gimme|gonna|gotta|lemme|more'n|wanna|'tis|'twas", re.IGNORECASE)
_CONTRACTED = re.compile(r"\b(?:cannot|d'ye|gimme|gonna|gotta|lemme|more'n|wanna(?=\s))\b", re.IGNORECASE)
_TIS, _TWAS = (re.compile(rf"(?<= 't){verb}\b", re.IGNORECASE) for verb in ("is", "was"))
_SPLIT_AT = {"d": 1, "m": 4}  # of a contraction, by its first letter; 3 of the others
_BLOCK = 1000  # characters at least
_BLOCK_END = re.compile(" (?=[A-Za-z0-9])")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 \n\t]*[A-Za-z0-9])?[.?!]?")


def _two_words(found: re.Match) -> str:
    word = found[0]
    at = _SPLIT_AT.get(word[0].lower(), 3)
    return f" {word[:at]} {word[at:]} "


def _padded(text: str, signs: str) -> str:
    for sign in signs:
        if sign in text:
            text = text.replace(sign, f" {sign} ")
    return text


def _last_stop_apart(text: str) -> str:
    """The text with blanks around the full stop that ends it, but for closing quotes and brackets."""
    before = text.rstrip(WHITE).rstrip(_AFTER_STOP)
    if not before.endswith(".") or len(before) == 1 or before[-2] == ".":
        return text
    after = text[len(before) :]
    return f"{before[:-1]} . {after[: len(after) - len(after.lstrip(_AFTER_STOP))]} "


def _clitics_apart(text: str) -> str:
    return _LONGER_CLITIC.sub(" ", _CLITIC.sub(" ", _BLANKS.sub(" ", text)))


def _contractions_apart(text: str) -> str:
    text = _CONTRACTED.sub(_two_words, text)
    for verb in (_TIS, _TWAS):
        text = verb.sub(lambda found: f" {found[0]} ", text)
    return text


def _cut(sentence: str) -> list[str]:
    """NLTK's substitutions in its order, but for those that cannot find anything."""
    apostrophe = "'" in sentence
    text = _padded(sentence, _OPEN_QUOTES)
    if "`" in text:
        text = _BACKTICKS.sub(lambda found: f" {found[0]} ", text)
    if text.startswith('"'):
        text = "``" + text[1:]
    text = text.replace("``", " `` ")
    if apostrophe or '"' in text:
        text = _OPENING.sub(" `` ", text)
    if apostrophe:
        text = _QUOTED_WORD.sub("' ", text)
    text = _last_stop_apart(text)
    if "," in text or ":" in text:
        text = _COMMA.sub(lambda found: f" {found[0][0]} {found[0][1]}", text)
        if text.endswith((",", ":")):
            text = f"{text[:-1]} {text[-1]} "
    if ".." in text:
        text = _DOTS.sub(lambda found: f" {found[0]} ", text)
    text = _padded(text, _MARKS_BEFORE_QUOTES)
    if apostrophe:
        text = _QUOTE_AFTER.sub(" ' ", text)
    text = _padded(text, _MARKS_AFTER_QUOTES).replace("--", " -- ")
    text = _padded(f" {text} ", _CLOSE_QUOTES).replace("''", " '' ").replace('"', " '' ")
    if apostrophe:
        text = _clitics_apart(text)
    if _MAY_CONTRACT.search(sentence):
        text = _contractions_apart(text)
    return text.split()


def tokens(sentence: str) -> list[str]:
    """The words and punctuation marks of a sentence, in order."""
    if not _PLAIN.fullmatch(sentence) or _MAY_CONTRACT.search(sentence):
        return _cut(sentence)
    words = sentence.split()
    last = words[-1]
    return words if last[-1] not in ".?!" else [*words[:-1], last[:-1], last[-1]]


def lazy_tokens(sentence: str) -> Iterator[str]:
    """The same, a block of a long sentence at a time.

    A block ends before a letter or a digit that a blank precedes; a word more keeps it from being the sentence's end.
    """
    start = 0
    while found := _BLOCK_END.search(sentence, start + _BLOCK):
        yield from tokens(sentence[start : found.end()] + "x")[:-1]
        start = found.end()
    yield from tokens(sentence[start:])
