"""Sentences and bare words as the rules of IF-RLVR training (allenai/open-instruct, IFEvalG) cut them."""

import re
from functools import lru_cache

# What is no end of a sentence, in the order in which it is looked for. Each rule takes its letters, so that of
# neighbours that share one ("1.2.3") only the first is found. The two marks are upstream's: a response that holds one
# of them is cut by it.
_STARTS = r"Mr|Mrs|Ms|Dr|Prof|Capt|Cpt|Lt|Wherever|(?:He|She|It|They|Their|Our|We|But|However|That|This)\s"
_COMPANY = "(Inc|Ltd|Jr|Sr|Co)"
_LETTER = "([A-Za-z])"
_RULES = [  # functions, because the re of Python 3.11 takes three times as long with a template that has groups
    (re.compile(r"(Mr|St|Mrs|Ms|Dr)\."), lambda m: f"{m[1]}<prd>"),
    (re.compile(r"\.(com|net|org|io|gov|edu|me)"), lambda m: f"<prd>{m[1]}"),
    (re.compile(r"([0-9])\.([0-9])"), lambda m: f"{m[1]}<prd>{m[2]}"),
    (re.compile(r"\.{2,}"), lambda dots: "<prd>" * len(dots[0]) + "<stop>"),
    (re.compile(r"Ph\.D\."), lambda m: "Ph<prd>D<prd>"),
    (re.compile(rf"[^\S ]{_LETTER}\. "), lambda m: f" {m[1]}<prd> "),  # after a blank the last rule finds it
    (re.compile(rf"([A-Z]\.[A-Z]\.(?:[A-Z]\.)?) ({_STARTS})"), lambda m: f"{m[1]}<stop> {m[2]}"),
    (re.compile(rf"{_LETTER}\.{_LETTER}\.{_LETTER}\."), lambda m: f"{m[1]}<prd>{m[2]}<prd>{m[3]}<prd>"),
    (re.compile(rf"{_LETTER}\.{_LETTER}\."), lambda m: f"{m[1]}<prd>{m[2]}<prd>"),
    (re.compile(rf" {_COMPANY}\. ({_STARTS})"), lambda m: f" {m[1]}<stop> {m[2]}"),
    (re.compile(rf" {_COMPANY}\."), lambda m: f" {m[1]}<prd>"),
    (re.compile(r"\.(?<= [A-Za-z]\.)"), "<prd>"),
]
_QUOTED = ((".\u201d", "\u201d."), ('."', '".'), ('!"', '"!'), ('?"', '"?'))  # the sign ends the quotation too


@lru_cache(maxsize=64)
def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, each up to its sign, the last up to the end.

    A quotation mark that follows a sign is moved before it, and line breaks are blanks.
    """
    text = f" {text}  ".replace("\n", " ")
    for pattern, marked in _RULES:
        if "." not in text:
            break
        text = pattern.sub(marked, text)
    for quoted, moved in _QUOTED:
        text = text.replace(quoted, moved)
    for sign in ".?!":
        text = text.replace(sign, f"{sign}<stop>")
    sentences = [sentence.strip() for sentence in text.replace("<prd>", ".").split("<stop>")]
    return tuple(sentences if sentences[-1] else sentences[:-1])


_PLAIN_WORD = re.compile(r"\w+(?:['\u2019-]\w+|(?<=\d)[.,]\d+)*")


def plain_words(text: str) -> list[str]:
    """Words without the punctuation around them, in small letters: don't, well-known and 1,000.5 are one each."""
    return _PLAIN_WORD.findall(text.lower())


def first_plain_word(text: str) -> str:
    """The first of them, or nothing."""
    match = _PLAIN_WORD.search(text.lower())
    return match[0] if match else ""
