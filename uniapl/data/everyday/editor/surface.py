"""Editors of marks and letters: highlights, placeholders, capitals, small letters, commas, quotation marks."""

import re
from collections.abc import Iterator, Mapping

from uniapl.data.everyday.editor.context import Context
from uniapl.data.everyday.editor.text import drop_until, insert

FIELDS = (  # sentences with placeholders, for texts that somebody fills in
    "If you have a question, call [name] at [phone number].",
    "The date is [date], and the place is [address].",
    "It begins at [time].",
    "You can also write to [email address].",
    "Please reply by [deadline].",
    "The price is [amount] for each person.",
    "Ask for [contact person] at the door.",
    "More about it is on [website].",
)
PLAIN = frozenset(
    "about after again although another because before being below between could doing during every further having "
    "other should their there these they're this those through under until where which while would your yours with "
    "from that have been will what when them then than some such more most very just into over also only make makes "
    "made many much even still always often never here there's it's don't can't".split()
)


def _content_words(text: str) -> Iterator[re.Match]:
    """Words of five letters or more that say something, not first in their line and without marks around them."""
    for match in re.finditer(r"(?<=[^\W\d_] )[A-Za-z]{5,}(?=[ .!?;:\n]|$)", text):
        if match[0].lower() not in PLAIN and not match[0].isupper():
            yield match


def _spread(text: str) -> list[re.Match]:
    """The content words in an order that spreads them: longest of each sentence first, no word twice."""
    seen: set[str] = set()
    best: dict[int, list[re.Match]] = {}
    for match in _content_words(text):
        if match[0].lower() not in seen:
            seen.add(match[0].lower())
            best.setdefault(len(re.findall(r"[.!?]\s|\n", text[: match.start()])), []).append(match)
    ranked = [sorted(found, key=lambda match: -len(match[0])) for found in best.values()]
    return [found[turn] for turn in range(max(map(len, ranked), default=0)) for found in ranked if turn < len(found)]


def _mark(text: str, context: Context, change) -> str:
    """The text with content words changed, one after another, until it is done."""
    while not context.done(text):
        match = next(iter(_spread(text)), None)
        if match is None:
            break
        text = text[: match.start()] + change(match[0]) + text[match.end() :]
    return text


def highlights(text: str, given: Mapping, context: Context) -> str:
    """Asterisks around words that say something."""
    return _mark(text, context, lambda word: f"*{word}*")


def capital_words(text: str, given: Mapping, context: Context) -> str:
    """Words that say something in capitals; or fewer capitals, and fewer sentences that need them."""
    if given["capital_relation"] == "at least":
        return _mark(text, context, str.upper)
    for match in reversed(list(re.finditer(r"\b[A-Z]{2,}\b", text))):
        if context.done(text):
            break
        text = text[: match.start()] + match[0].capitalize() + text[match.end() :]
    return drop_until(
        text, context.done, context.keeps, lambda sentence: len(re.findall(r"(?<!\w)[A-Z]+(?![a-z])", sentence))
    )


def placeholders(text: str, given: Mapping, context: Context) -> str:
    """Sentences with fields to be filled in, before the last line."""
    for sentence in FIELDS:
        if context.done(text):
            break
        if sentence not in text and context.allowed(sentence):
            text = insert(text, context.dress(sentence), 0.8)
    return text


def no_comma(text: str, given: Mapping, context: Context) -> str:
    """Numbers without commas; enumerations with "and" or "or" throughout; elsewhere the commas left out."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    item = r"[\w'*-]+(?: [\w'*-]+){0,2}"
    text = re.sub(
        rf"\b(?:{item}, ){{2,}}(?:{item} )?(?=(and|or)\b)",
        lambda match: re.sub(r", ", f" {match[1]} ", match[0].rstrip(", ")) + " ",
        text,
    )
    text = re.sub(r",(?=\s|$|[\"')*\]])", "", text)
    return text.replace(",", " ")


def lowercase(text: str, given: Mapping, context: Context) -> str:
    """Small letters."""
    return text.lower()


def capitals(text: str, given: Mapping, context: Context) -> str:
    """Capital letters."""
    return text.upper()


def quotation(text: str, given: Mapping, context: Context) -> str:
    """Double quotation marks around the text, single ones within it."""
    text = text.strip()
    if text.count('"') == 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return '"' + text.replace('"', "'") + '"'
