"""The word tokens of sentences, those of NLTK's `NLTKWordTokenizer` (Penn Treebank's rules), restated.

NLTK's own takes a tenth of a second for 100 kB of brackets and a second to import. A test compares the two. Here short
sentences are cut together, because 30,000 of them alone would take as long; they are joined by a noncharacter of
Unicode, U+FDD0, and one in a text is read as its neighbour U+FDD1.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import regex  # as NLTK: its \s and \w differ from re's in a few characters

WHITE = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501
_OPEN_QUOTES, _CLOSE_QUOTES = "«“‘„", "»”’"
_AFTER_STOP = "])}>\"'»”’ "
_MARKS_BEFORE_QUOTES, _MARKS_AFTER_QUOTES = ";@#$%&\u2012\u2013\u2014\u2015?!", "*[](){}<>"  # each is a token
_END, _NOT_END = "\ufdd0", "\ufdd1"  # of a sentence among others
# re is fast where a pattern begins with a sign and the replacement has no groups: hence the looks around.
_RUN_STARTS = {"`": re.compile("`(?<!``)"), ".": re.compile(r"\.(?=\.)(?<!\.\.)")}
_RUN_ENDS = {"`": re.compile("`(?!`)"), ".": re.compile(r"\.(?<=\.\.)(?!\.)")}
_FIRST_QUOTE = re.compile(rf'"(?:(?<=\A")|(?<={_END}"))')
_OPENING = re.compile(r"""(?<=[ (\[{<])(?:"|'')""")
_QUOTED_WORD = regex.compile(r"'(?=\w)(?<!\w')(?!(?:re|ve|ll|m|t|s|d|n)\b)", regex.IGNORECASE)
_LAST_STOP = re.compile(rf"\.(?<=[^.{_END}]\.)(?=[{re.escape(_AFTER_STOP)}]*+[{WHITE}]*+(?:\Z|{_END}))")
_COMMA = {sign: re.compile(rf"{sign}(?=[^\d:,])(?<![:,].)") for sign in ",:"}
_COMMAS = re.compile(r"[:,]{2,}\D?")
_LAST_COMMA = re.compile(rf"[:,](?=\Z|{_END})")
_QUOTE_AFTER = re.compile(rf"' (?<=[^'{_END}]' )")
_OTHER_WHITE = re.compile(f"[{WHITE[1:]}]")
_CLITIC = re.compile(r"'(?=[sSmMdD]? )(?<=[^' ]')")
_LONGER_CLITICS = {
    ("'ll ", "'LL ", "'re ", "'RE ", "'ve ", "'VE "): (" '", re.compile("'(?=(?:ll|LL|re|RE|ve|VE) )(?<=[^' ]')")),
    ("n't ",): (" n", re.compile("n(?='t )(?<=[^' ]n)")),
    ("N'T ",): (" N", re.compile("N(?='T )(?<=[^' ]N)")),
}
_OF_CONTRACTIONS = ("nnot", "'ye", "mme", "nna", "tta", "e'n", "'t")
_CONTRACTED = re.compile(r"\b(?:cannot|d'ye|gimme|gonna|gotta|lemme|more'n|wanna(?=\s))\b", re.IGNORECASE)
_TIS, _TWAS = (re.compile(rf"(?<= 't){verb}\b", re.IGNORECASE) for verb in ("is", "was"))
_SPLIT_AT = {"d": 1, "m": 4}  # of a contraction, by its first letter; 3 of the others
_BLOCK = 1000  # characters at least
_BLOCK_END = re.compile(" (?=[A-Za-z0-9])")


def _two_words(match: re.Match) -> str:
    word = match[0]
    at = _SPLIT_AT.get(word[0].lower(), 3)
    return f" {word[:at]} {word[at:]} "


def _padded(text: str, signs: str) -> str:
    for sign in signs:
        if sign in text:
            text = text.replace(sign, f" {sign} ")
    return text


def _pairs_apart(match: re.Match) -> str:
    """A comma or colon takes what follows it: of two only the first gets blanks around it, so that all are apart."""
    even = match[0][: len(match[0]) // 2 * 2]
    return f" {' '.join(even)}{match[0][len(even) :]}"


def _run_apart(text: str, sign: str) -> str:
    return _RUN_ENDS[sign].sub(f"{sign} ", _RUN_STARTS[sign].sub(f" {sign}", text))


def _clitics_apart(text: str) -> str:
    text = _CLITIC.sub(" '", _OTHER_WHITE.sub(" ", text))
    for forms, (replacement, clitic) in _LONGER_CLITICS.items():
        if any(form in text for form in forms):
            text = clitic.sub(replacement, text)
    return text


def _may_contract(text: str) -> bool:
    small = text.lower()
    return any(part in small for part in _OF_CONTRACTIONS)


def _contractions_apart(text: str) -> str:
    text = _CONTRACTED.sub(_two_words, text)
    for verb in (_TIS, _TWAS):
        text = verb.sub(lambda match: f" {match[0]} ", text)
    return text


def _cut(sentences: str) -> list[str]:
    """The tokens of sentences between which `_END` stands; that is a token too.

    NLTK's substitutions in its order, but for those that cannot find anything.
    """
    apostrophe = "'" in sentences
    text = _padded(sentences, _OPEN_QUOTES)
    if "`" in text:
        text = _run_apart(text, "`")
    if '"' in text:
        text = _FIRST_QUOTE.sub("``", text)
    text = text.replace("``", " `` ")
    if apostrophe or '"' in text:
        text = _OPENING.sub(" `` ", text)
    if apostrophe:
        text = _QUOTED_WORD.sub("' ", text)
    if "." in text:
        text = _LAST_STOP.sub(" . ", text)
    for sign, pattern in _COMMA.items():
        if sign in text:
            text = pattern.sub(f" {sign} ", text)
    if "," in text or ":" in text:
        text = _COMMAS.sub(_pairs_apart, text)
        text = _LAST_COMMA.sub(lambda match: f" {match[0]} ", text)
    if ".." in text:
        text = _run_apart(text, ".")
    text = _padded(text, _MARKS_BEFORE_QUOTES)
    if apostrophe:
        text = _QUOTE_AFTER.sub(" ' ", text)
    text = _padded(text, _MARKS_AFTER_QUOTES).replace("--", " -- ")
    text = _padded(f" {text} ", _CLOSE_QUOTES + _END).replace("''", " '' ").replace('"', " '' ")
    if apostrophe:
        text = _clitics_apart(text)
    if _may_contract(sentences):
        text = _contractions_apart(text)
    return text.split()


def _joined(sentences: Sequence[str]) -> str:
    text = _END.join(sentences)
    if text.count(_END) >= len(sentences):
        text = _END.join(sentence.replace(_END, _NOT_END) for sentence in sentences)
    return text


def tokens(*sentences: str) -> list[str]:
    """The words and punctuation marks of the sentences, in order."""
    return [token for token in _cut(_joined(sentences)) if token != _END]


def numbers_of_tokens(*sentences: str) -> Iterator[int]:
    """How many tokens each sentence has."""
    cut = _cut(_joined(sentences))
    ends = [i for i, token in enumerate(cut) if token == _END]
    return (end - start - 1 for start, end in pairwise([-1, *ends, len(cut)]))


def _part(sentence: str) -> Iterator[list[str]]:
    """The tokens of a long sentence by its parts, each of which ends before a letter or a digit after a blank."""
    start = 0
    while end := _BLOCK_END.search(sentence, start + _BLOCK):
        yield tokens(sentence[start : end.end()] + "x")[:-1]  # the word more keeps it from being the sentence's end
        start = end.end()
    yield tokens(sentence[start:])


def blocks(sentences: Iterable[str]) -> Iterator[list[str]]:
    """The tokens of the sentences in order, those of about a thousand characters at a time."""
    block, size = [], 0
    for sentence in sentences:
        if size and size + len(sentence) > _BLOCK:
            yield tokens(*block)
            block, size = [], 0
        if len(sentence) > _BLOCK:
            yield from _part(sentence)
        else:
            block.append(sentence)
            size += len(sentence)
    if block:
        yield tokens(*block)
