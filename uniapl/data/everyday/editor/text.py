"""A text as lines of sentences: cut, joined, lengthened and shortened by whole sentences."""

import re
from collections.abc import Callable, Iterable, Sequence

ITEM = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s+")  # what begins an item of a list
HEADING = re.compile(r"\s*(?:#|\*\*[^*]+\*\*:?\s*$|[^.!?]{1,60}:\s*$)")
_END = re.compile(r"(?<=[.!?])[\"')\]*]*\s+(?=[\"'(\[*]*[A-Za-z0-9])")
_NO_END = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|a\.m|p\.m|P\.S|P\.P\.S)\.|\b[A-Z]\.|^\s*\d+\.)$", re.I
)
FINISHED = re.compile(r"[.!?][\"')\]*]*$")

Lines = list[list[str]]  # of each line its sentences; a blank line has none


def cut_sentences(line: str) -> list[str]:
    """The sentences of one line, each with its sign; what begins an item of a list stays with its first sentence."""
    item = ITEM.match(line)
    start, sentences = item.end() if item else 0, []
    begin = 0
    for match in _END.finditer(line, start):
        piece = line[begin : match.end()].strip() if begin else line[: match.end()].rstrip()
        if not _NO_END.search(piece.rstrip("\"')]* ")):
            sentences.append(piece)
            begin = match.end()
    rest = line[begin:].strip() if begin else line.rstrip()
    return [*sentences, rest] if rest else sentences


def parse(text: str) -> Lines:
    """The lines of a text, each as its sentences."""
    return [cut_sentences(line) if line.strip() else [] for line in text.split("\n")]


def join(lines: Lines) -> str:
    """The text of the lines, without blank ones at its ends and without two blank ones in a row."""
    text = "\n".join(" ".join(sentences) for sentences in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def is_prose(line: Sequence[str]) -> bool:
    """Whether a line is running text: not blank, no item, no heading, and it ends like a sentence."""
    text = " ".join(line)
    return bool(text) and not ITEM.match(text) and not HEADING.match(text) and bool(FINISHED.search(text))


def finished(text: str) -> str:
    """The text up to its last whole sentence or list item: what a limit on tokens cut off is left out."""
    lines = parse(text.strip())
    while lines and (not lines[-1] or not FINISHED.search(lines[-1][-1])):
        if lines[-1]:
            lines[-1].pop()
        if not lines[-1]:
            lines.pop()
    return join(lines)


def prose_sentences(text: str) -> list[str]:
    """Whole sentences of running text, in order; such as can stand alone in another place."""
    found = (sentence for line in parse(text) if is_prose(line) for sentence in line)
    return [s for s in found if FINISHED.search(s) and 4 <= len(s.split()) <= 40 and s[0].isupper() and '"' not in s]


def words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters."""
    return frozenset(re.findall(r"\w+", text.lower()))


def unlike(sentence: str, text: str) -> bool:
    """Whether no sentence of the text shares most of its words with this one."""
    own = words_of(sentence)
    return all(
        len(own & words_of(other)) <= 0.6 * min(len(own), len(words_of(other)) or 1) for other in prose_sentences(text)
    )


def insert(text: str, sentence: str, place: float = 0.6) -> str:
    """The text with a sentence more, at the end of a line of running text: the one at `place` (0: first, 1: last).

    Where there is no running text, the sentence is a line of its own in the middle (of a poem, a list: at the end).
    """
    lines = parse(text)
    prose = [i for i, line in enumerate(lines) if is_prose(line)]
    if prose:
        at = prose[min(int(place * len(prose)), len(prose) - 1)]
        if len(lines[at]) > 3 and len(prose) == 1:
            lines[at].insert(max(1, int(place * len(lines[at]))), sentence)
        else:
            lines[at].append(sentence)
        return join(lines)
    plain = [i for i, line in enumerate(lines) if line and not ITEM.match(" ".join(line))]
    if len(plain) > 2:
        lines.insert(plain[int(place * len(plain))] + 1, [sentence])
        return join(lines)
    return f"{text}\n\n{sentence}" if text else sentence


def without(lines: Lines, line: int, sentence: int) -> Lines:
    """The lines without one sentence; a line that it leaves empty is left out too."""
    rest = [s for i, s in enumerate(lines[line]) if i != sentence]
    return [*lines[:line], *([rest] if rest else []), *lines[line + 1 :]]


def bare_headings(lines: Lines) -> set[str]:
    """The headings that nothing stands under: the next line that is not blank is a heading too, or there is none."""
    written = [line for line in lines if line]
    following = [*written[1:], []]
    return {
        " ".join(line)
        for line, after in zip(written, following, strict=True)
        if HEADING.match(" ".join(line)) and (not after or HEADING.match(" ".join(after)))
    }


def drop_until(
    text: str, done: Callable[[str], bool], may: Callable[[str], bool], guilty: Callable[[str], float]
) -> str:
    """The text without as many sentences as it takes until it is `done`: the most `guilty` first, later ones before
    earlier ones; none without which `may` is no longer true, and never the last. Headings that lose what stood under
    them go too."""
    bare = bare_headings(parse(text))
    while not done(text):
        lines = parse(text)
        places = [(i, j) for i, line in enumerate(lines) for j in range(len(line))]
        order = sorted(places, key=lambda at: (-guilty(lines[at[0]][at[1]]), -at[0], -at[1]))
        candidates = (join(without(lines, *at)) for at in order) if len(places) > 1 else ()
        shorter = next((one for one in candidates if one and may(one)), None)
        if shorter is None:
            return text
        text = shorter
    while emptied := bare_headings(parse(text)) - bare:
        kept = join([line for line in parse(text) if " ".join(line) not in emptied])
        if not kept or not done(kept) or not may(kept):
            break
        text = kept
    return text


def units(text: str) -> list[tuple[int, str]]:
    """Sentences with the number of their line, without blank lines."""
    return [(i, sentence) for i, line in enumerate(parse(text)) for sentence in line]


def chunks(text: str, n: int) -> list[str] | None:
    """The text in `n` parts of about equal length, cut between lines where there are enough, else between sentences.

    None where it has fewer than `n` sentences.
    """
    pieces = [(i, " ".join(line)) for i, line in enumerate(parse(text)) if line]
    if len(pieces) < n:
        pieces = units(text)
    if len(pieces) < n:
        return None
    sizes = [len(piece.split()) for _, piece in pieces]
    total, parts, begin = sum(sizes), [], 0
    for k in range(1, n + 1):
        end = begin + 1
        while end < len(pieces) - (n - k) and (k == n or sum(sizes[:end]) + sizes[end] / 2 <= total * k / n):
            end += 1
        parts.append(_laid_out(pieces[begin:end]))
        begin = end
    return parts


def _laid_out(pieces: Iterable[tuple[int, str]]) -> str:
    text, last = "", None
    for line, piece in pieces:
        text += ("" if last is None else " " if line == last else "\n") + piece.strip()
        last = line
    return text
