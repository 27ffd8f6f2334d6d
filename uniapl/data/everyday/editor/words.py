"""Editors of keywords and letters."""

import re
from collections.abc import Mapping

from uniapl.data.everyday.editor.context import Context
from uniapl.data.everyday.editor.text import drop_until, insert
from uniapl.data.everyday.substitutes import SUBSTITUTES

FRAMES = (  # sentences that a noun can join; of ours, where a model's answers have none with the keyword
    "The {word} is part of it as well.",
    "It is worth thinking about the {word} for a moment.",
    "Do not forget the {word}.",
    "Even the {word} plays its part here.",
    "And then there is the {word}.",
    "Much depends on the {word}.",
    "People often talk about the {word} first.",
    "A look at the {word} tells you a lot.",
    "Nothing works without the {word}.",
    "Everyone remembers the {word}.",
    "In the end it comes back to the {word}.",
    "Some would say that the {word} matters most.",
)


def _pattern(word: str) -> re.Pattern:
    return re.compile(re.escape(word.strip()), re.IGNORECASE)


def with_word(text: str, word: str, context: Context) -> str:
    """The text with one sentence more that has the word: of another answer where one has it, else a frame of ours."""
    pattern = _pattern(word)
    ready = [sentence for sentence in context.stock(text) if pattern.search(sentence)]
    if ready:
        return insert(text, ready[0])
    framed = [context.dress(frame.format(word=word.strip())) for frame in FRAMES]
    unused = [sentence for sentence in framed if sentence not in text and context.allowed(sentence)]
    return insert(text, context.rng.choice(unused), context.rng.choice((0.2, 0.5, 0.8))) if unused else text


def existence(text: str, given: Mapping, context: Context) -> str:
    """Each missing keyword in a sentence of its own."""
    for word in given["keywords"]:
        if not _pattern(word).search(text):
            text = with_word(text, word, context)
    return text


def frequency(text: str, given: Mapping, context: Context) -> str:
    """More sentences with the keyword; or fewer, where there are too many."""
    word, pattern = given["keyword"], _pattern(given["keyword"])
    if given["relation"] == "less than":
        return drop_until(text, context.done, context.keeps, lambda sentence: len(pattern.findall(sentence)))
    for _ in range(given["frequency"]):
        if context.done(text):
            break
        text = with_word(text, word, context)
    return text


def forbidden(text: str, given: Mapping, context: Context) -> str:
    """The forbidden words replaced where there is a substitute, otherwise the sentences that have one left out."""
    banned = {word.strip().lower() for word in given["forbidden_words"]}
    for word in sorted(banned):
        other = SUBSTITUTES.get(word)
        while other in banned:
            other = SUBSTITUTES.get(other)
        if other:
            text = _replace(text, word, other)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(banned)))})\b", re.IGNORECASE)
    return drop_until(text, context.done, context.keeps, lambda sentence: len(pattern.findall(sentence)))


def _replace(text: str, word: str, other: str) -> str:
    """The word replaced as a whole word, with its capitals, and "a" or "an" before it as the other needs it."""
    article = "an" if other[0] in "aeiou" else "a"

    def swap(match: re.Match) -> str:
        before, found = match[1] or "", match[2]
        new = other.upper() if found.isupper() and len(found) > 1 else other.title() if found[0].isupper() else other
        if before.strip().lower() in ("a", "an"):
            before = (article.title() if before[0].isupper() else article) + before.lstrip("AaNn")
        return before + new

    return re.sub(rf"(\ban?\s+)?\b({re.escape(word)})\b", swap, text, flags=re.IGNORECASE)


def letter(text: str, given: Mapping, context: Context) -> str:
    """More sentences, those with the letter first; or fewer, where there are too many."""
    sign = given["letter"].lower()
    if given["let_relation"] == "less than":
        return drop_until(text, context.done, context.keeps, lambda sentence: sentence.lower().count(sign))
    if sign == "!":
        for match in reversed(list(re.finditer(r"(?<=\w)\.(?=\s|$)", text))):
            if context.done(text):
                break
            text = text[: match.start()] + "!" + text[match.end() :]
        return text
    while not context.done(text):
        having = [sentence for sentence in context.stock(text) if sign in sentence.lower()]
        if not having:
            break
        text = insert(text, max(having, key=lambda sentence: sentence.lower().count(sign)), 0.9)
    return text
