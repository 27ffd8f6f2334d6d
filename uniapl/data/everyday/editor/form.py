"""Editors of form and length: lists, sections, paragraphs, two responses, numbers of words and sentences, the end."""

import re
from collections.abc import Mapping

from uniapl.data.everyday.editor.context import Context
from uniapl.data.everyday.editor.text import (
    FINISHED,
    ITEM,
    chunks,
    drop_until,
    insert,
    is_prose,
    join,
    parse,
    units,
)


def _longer(text: str, context: Context, enough) -> str:
    """The text with sentences of the other answers until it is `enough`, as far as they go."""
    stock = context.stock(text)
    for number, sentence in enumerate(stock):
        if enough(text):
            break
        text = insert(text, sentence, (number + 1) / (len(stock) + 1) if number % 2 else 0.95)
    return text


def number_words(text: str, given: Mapping, context: Context) -> str:
    """Sentences of other answers, or fewer of its own; where one sentence is too long, its first clauses."""
    if given["relation"] == "at least":
        return _longer(text, context, context.done)
    text = drop_until(text, context.done, context.keeps, lambda sentence: 0)
    while not context.done(text) and re.search(r"[,;:]", text):
        text = re.sub(r"[,;:][^,;:]*$", "", text) + "."
    return text


def number_sentences(text: str, given: Mapping, context: Context) -> str:
    """Sentences of other answers, or fewer of its own."""
    if given["relation"] == "at least":
        return _longer(text, context, context.done)
    return drop_until(text, context.done, context.keeps, lambda sentence: 0)


def _parts(text: str, n: int, context: Context) -> list[str] | None:
    """The text in `n` parts, with sentences of other answers where it has fewer than two for each."""
    return chunks(_longer(text, context, lambda longer: len(units(longer)) >= 2 * n), n)


def _plain(text: str) -> str:
    """The text without lines of asterisks or dashes, and with no three asterisks in a row."""
    lines = [line for line in text.split("\n") if not re.fullmatch(r"\s*(?:[*\-_=]\s*){3,}", line)]
    return re.sub(r"\*{3,}", "**", "\n".join(lines)).strip()


def paragraphs(text: str, given: Mapping, context: Context) -> str:
    """As many parts as are asked for, with `***` between them."""
    parts = _parts(_plain(text), given["num_paragraphs"], context)
    return "\n\n***\n\n".join(parts) if parts else text


def nth_paragraph(text: str, given: Mapping, context: Context) -> str:
    """As many parts, with a blank line between them; the n-th begins with the word, a comma and what it said before."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    if len(parts) != given["num_paragraphs"]:
        parts = _parts(text, given["num_paragraphs"], context) or []
    if not parts:
        return text
    n, word = given["nth_paragraph"] - 1, given["first_word"].strip()
    begun = re.match(rf"\W*{re.escape(word)}\b[*_]*", parts[n], re.IGNORECASE)
    first, *rest = re.sub(r"^(?:#+\s+|[-*]\s+)", "", parts[n]).split(" ", 1)
    if begun:
        parts[n] = word[0].upper() + word[1:] + parts[n][begun.end() :]
    else:
        is_name = first in ("I", "I'm", "I've", "I'll") or (first.isupper() and len(first) > 1)
        lowered = first if is_name else first[0].lower() + first[1:]
        parts[n] = context.dress(f"{word[0].upper()}{word[1:]}, ") + " ".join([lowered, *rest])
    return "\n\n".join(re.sub(r"\n{2,}", "\n", part.strip()) for part in parts)


def sections(text: str, given: Mapping, context: Context) -> str:
    """As many parts, each under a heading with its number."""
    splitter, n = given["section_spliter"].strip(), given["num_sections"]
    heading = re.compile(rf"^\W*{re.escape(splitter)}\s?\d+\W*\s*$", re.MULTILINE | re.IGNORECASE)
    body = re.sub(r"\n{3,}", "\n\n", heading.sub("", text)).strip()
    parts = _parts(body, n, context)
    return "\n\n".join(f"{splitter} {number}\n{part}" for number, part in enumerate(parts, 1)) if parts else text


def bullets(text: str, given: Mapping, context: Context) -> str:
    """Exactly so many items: those that are there, or the sentences after the first one; then sentences of others."""
    n, mark = given["num_bullets"], "- " if context.asks("detectable_format:number_highlighted_sections") else "* "
    lines = [line for line in parse(_plain(text)) if not re.match(r"\s*-(?!\s)", " ".join(line))]
    items = [i for i, line in enumerate(lines) if ITEM.match(" ".join(line))]
    if items:
        bodies = [ITEM.sub("", " ".join(lines[i]), count=1) for i in items[:n]]
        before, after = lines[: items[0]], [line for i, line in enumerate(lines) if i > items[0] and i not in items]
        after = [line for line in after if is_prose(line)][-1:]
    else:
        sentences = [s for line in lines if is_prose(line) for s in line] or [" ".join(line) for line in lines if line]
        before, bodies, after = [sentences[:1]], sentences[1 : n + 1], [sentences[n + 1 :]]
    bodies += context.stock(text)[: n - len(bodies)]
    tail = [[], *after] if any(after) else []
    return join([*before, [], *([mark + body] for body in bodies), *tail])


def two_responses(text: str, given: Mapping, context: Context) -> str:
    """The text and another answer, six asterisks between them."""
    other = next((one for one in map(_plain, context.others) if one and one != text.strip()), None)
    return f"{_plain(text)}\n\n******\n\n{context.dress(other)}" if other else text


def _closed(text: str) -> str:
    return text if FINISHED.search(text) else text.rstrip(" ,;:") + "."


def postscript(text: str, given: Mapping, context: Context) -> str:
    """A sentence of another answer after the marker; where there is none, the text's own last sentence moves there."""
    marker = context.dress(given["postscript_marker"].strip())
    stock = context.stock(text)
    if stock:
        return f"{_closed(text)}{context.gap}{marker} {stock[-1]}"
    lines = parse(text)
    if len(units(text)) < 2 or not lines[-1]:
        return text
    last = lines[-1].pop()
    return f"{_closed(join(lines))}{context.gap}{marker} {last}"


def ending(text: str, given: Mapping, context: Context) -> str:
    """The phrase at the end, on a line of its own; where the text has it in another place, it moves."""
    phrase = context.dress(given["end_phrase"].strip())
    body = re.sub(re.escape(phrase), "", text, flags=re.IGNORECASE)
    return f"{join(parse(body))}{context.gap}{phrase}"
