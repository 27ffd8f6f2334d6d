"""format: what a response looks like."""

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, pairwise

import regex

from uniapl.checkers import treebank
from uniapl.checkers.arguments import Instruction
from uniapl.checkers.ifbench.arguments import OPTIONS, PUNCTUATION, TEXT, no_punctuation
from uniapl.checkers.punkt import sentences
from uniapl.checkers.texts import emoji_pattern

BRACKETS = {")": "(", "]": "[", "}": "{"}
BRACKET_LEVELS, QUOTE_LEVELS = 5, 3
# The characters that are an emoji alone, as the package `emoji` has them: neither a digit nor half of a flag is.
_EMOJI = regex.compile(r"[\p{Emoji}--[#*0-9\U0001F1E6-\U0001F1FF]]", regex.V1)
_LETTER_FIRST = re.compile(r"[^\W\d_]")
_LABELS = ("My Answer:", "My Conclusion:", "Future Outlook:")
# Short words that titles leave small (articles, coordinating conjunctions, prepositions), but for the first.
_MINOR = frozenset(
    "a an the and but for nor or so yet as at by down from in into like near of off on onto out over past per than "
    "through till to up upon via with about above across after against along among around before behind below beneath "
    "beside between beyond despite during except inside outside since throughout toward towards under underneath until "
    "unto within without if vs".split()
)
_STRAIGHT = str.maketrans("\u201c\u201d\u2018\u2019", "\"\"''")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-]\w+)*")
_EM_THESIS = re.compile("<(i|em)>")


def options(text: str, options: tuple[bool, frozenset]) -> bool:
    """The response is one of the options: of an enumeration a), b), c) to the letter, else in any case and marks."""
    exact, allowed = options
    return (text if exact else text.strip(PUNCTUATION).lower()) in allowed


def newline(text: str) -> bool:
    """There are as many lines as words, punctuation and empty lines apart."""
    text = no_punctuation(text).strip()
    return sum(line != "" for line in text.split("\n")) == len(text.split())


def newline_fixed(text: str) -> bool:
    """Each line holds one word, or nothing; punctuation alone is no word."""
    words = [len(line.split()) for line in no_punctuation(text).split("\n")]
    return max(words) == 1


@lru_cache(maxsize=16)
def _emoji_at_ends(sentence: str) -> tuple[bool, bool] | None:
    """Whether the sentence has an emoji at its start and at its end; None for one of punctuation alone."""
    sentence = no_punctuation(sentence).strip()
    return (bool(_EMOJI.match(sentence)), bool(_EMOJI.search(sentence[-2:]))) if sentence else None


def emoji(text: str) -> bool:
    """Each sentence has an emoji as its last or last but one character, or at the start of the next sentence.

    ASCII punctuation is passed over, and each sentence has something else.
    """
    for here, following in pairwise(chain(map(_emoji_at_ends, sentences(text)), [None])):
        if not here or not (here[1] or (following and following[0])):
            return False
    return True


@lru_cache(maxsize=16)
def _whole_emoji_at_ends(sentence: str) -> tuple[bool, bool]:
    """Whether the sentence has an emoji, of however many characters, before and after all else but marks and blanks."""
    spans = [match.span() for match in emoji_pattern().finditer(sentence)]
    if not spans:
        return False, False
    before, after = sentence[: spans[0][0]], sentence[spans[-1][1] :]
    return not any(map(str.isalnum, before)), not any(map(str.isalnum, after))


def emoji_fixed(text: str) -> bool:
    """Each sentence ends with an emoji, or the next begins with it; flags and keycaps too, beside any mark."""
    ends = [_whole_emoji_at_ends(sentence) for sentence in sentences(text)]
    return all(here[1] or following[0] for here, following in pairwise([*ends, (False, False)]))


def _indents(lines: list[str]) -> Iterator[int]:
    return (len(line) - len(line.lstrip(" ")) for line in lines)


def _climbs(lines: list[str]) -> bool:
    return all(before < after for before, after in pairwise(_indents(lines)))


def _without_some_blank_lines(lines: list[str]) -> list[str]:
    """The lines less those that upstream removes, from the list that it walks.

    A blank line has its first equal removed, and the line after it is passed over, so every other blank line of a
    block stays.
    """
    stays = [True] * len(lines)
    passed = defaultdict(deque)  # blank line: where it still stands, among the lines walked
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.strip():
            place += 1
            continue
        passed[line].append(place)
        stays[passed[line].popleft()] = False
        if place + 1 < len(lines) and not lines[place + 1].strip():
            passed[lines[place + 1]].append(place + 1)
        place += 2
    return [line for line, keep in zip(lines, stays, strict=True) if keep]


def line_indent(text: str) -> bool:
    """Each line has more blanks before it than the line above; as upstream some blank lines count, with none."""
    return _climbs(_without_some_blank_lines(text.split("\n")))


def line_indent_fixed(text: str) -> bool:
    """Each line has more blanks or tabs before it than the line above; blank lines do not count."""
    indents = (len(line) - len(line.lstrip(" \t")) for line in text.split("\n") if line.strip())
    return all(before < after for before, after in pairwise(indents))


def list_marker(text: str, sep: str) -> bool:
    """The marker occurs at least twice, as upstream anywhere."""
    return text.count(sep) >= 2


def list_marker_fixed(text: str, sep: str) -> bool:
    """At least two lines begin with the marker."""
    return sum(line.lstrip().startswith(sep.strip()) for line in text.split("\n")) >= 2


def no_bullets_bullets(text: str) -> bool:
    """Two sentences or more, then two lines or more that begin with `*`, and nothing after them.

    As upstream nothing but bullets may follow the first blank line, and sentences may end in any way.
    """
    n_sentences = n_bullets = 0
    over = False
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("*"):
            over = True
            n_bullets += 1
            if n_sentences < 2:
                return False
        elif over:
            return False
        elif not line:
            over = True
        elif n_sentences < 2:
            n_sentences += len(sentences(line))
    return n_bullets >= 2


def no_bullets_bullets_fixed(text: str) -> bool:
    """At least two sentences that end in a full stop, then at least two lines that begin with a single `*`."""
    lines = [line.strip() for line in text.split("\n")]
    bullets = [line.startswith("*") and not line.startswith("**") for line in lines]
    if sum(bullets) < 2:
        return False
    before = sentences("\n".join(lines[: bullets.index(True)]))
    return sum(sentence.rstrip("\"'\u201d\u2019)").endswith(".") for sentence in before) >= 2


def no_whitespace(text: str) -> bool:
    """There is no white space."""
    return not re.search(r"\s", text)


def output_template(text: str) -> bool:
    """The three labels occur, in any order."""
    return all(label in text for label in _LABELS)


def output_template_fixed(text: str) -> bool:
    """The text begins with the first label, and each of the three, in their order, is followed by something."""
    parts = []
    for label in _LABELS:
        before, label_there, text = text.partition(label)
        if not label_there:
            return False
        parts.append(before)
    return not parts[0].strip() and all(part.strip() for part in (*parts[1:], text))


def parentheses(text: str) -> bool:
    """Five brackets, of any kinds, are open at once and the innermost is closed by its own kind.

    A bracket that closes another kind than is open makes all that are open void.
    """
    open_now, deepest = [], 0
    for bracket in re.findall(r"[()\[\]{}]", text):
        if bracket not in BRACKETS:
            open_now.append(bracket)
            deepest = max(deepest, len(open_now))
        elif open_now and open_now[-1] == BRACKETS[bracket]:
            open_now.pop()
            if deepest >= BRACKET_LEVELS:
                return True
        else:
            open_now, deepest = [], 0
    return False


def parentheses_fixed(text: str) -> bool:
    """Five brackets, of any kinds, are nested, each closed by its own kind; one that closes none is passed over."""
    open_now: list[list] = []  # a bracket, and how many levels are closed within it
    for bracket in re.findall(r"[()\[\]{}]", text):
        if bracket not in BRACKETS:
            open_now.append([bracket, 0])
        elif open_now and open_now[-1][0] == BRACKETS[bracket]:
            levels = open_now.pop()[1] + 1
            if levels >= BRACKET_LEVELS:
                return True
            if open_now:
                open_now[-1][1] = max(open_now[-1][1], levels)
    return False


def quotes(text: str) -> bool:
    """Straight quotes, double and single in turn, are nested three deep, and three are closed again."""
    open_now, deepest = [], 0
    for quote in re.findall("[\"']", text):
        if open_now and open_now[-1] == quote:
            open_now.pop()
            if deepest - len(open_now) >= QUOTE_LEVELS:
                return True
        else:
            open_now.append(quote)
            deepest = max(deepest, len(open_now))
    return False


def quotes_fixed(text: str) -> bool:
    """The same for curly quotes, as straight ones; an apostrophe within a word is no quote."""
    return quotes(re.sub(r"(?<=\w)['\u2019](?=\w)", "", text).translate(_STRAIGHT))


def quote_unquote(text: str) -> bool:
    """No straight double quote stands next to another or, but for digits and marks, at the end."""
    text = "".join(text.replace("'\"'", "").split())
    marks = PUNCTUATION.replace('"', "") + "0123456789"
    return '""' not in text and not text.rstrip(marks).endswith('"')


def quote_unquote_fixed(text: str) -> bool:
    """The same for curly quotes, which upstream means to read as straight ones."""
    return quote_unquote(text.replace("“", '"').replace("”", '"'))


def sub_bullets(text: str) -> bool:
    """A hyphen follows every `*`, before the next; as upstream anywhere, and there need be no `*`."""
    return all("-" in bullet for bullet in text.split("*")[1:])


def sub_bullets_fixed(text: str) -> bool:
    """Some line begins with `*`, and after each there is a line that begins with `-` before the next."""
    lines = filter(None, map(str.strip, text.split("\n")))
    marks = "".join(line[0] for line in lines if line[0] == "-" or (line[0] == "*" and line[1:2] != "*"))
    return bool(re.fullmatch(r"-*(?:\*-+)+", marks))


def thesis(text: str) -> bool:
    """The first <i> (else the first <em>) closes on text that is not blank, and text follows.

    As upstream the ">" of <em> and of </em> counts as such text.
    """
    begin = text.find("<i>") if "<i>" in text else text.find("<em>")
    if begin < 0:
        return False
    text = text[begin:]
    end = text.find("</i>") if "</i>" in text else text.find("</em>")
    return end >= 0 and bool(text[3:end].strip()) and bool(text[end + 4 :].strip())


def thesis_fixed(text: str) -> bool:
    """The first <i> or <em> closes by its own kind on text that is not blank, and text follows."""
    opening = _EM_THESIS.search(text)
    if not opening:
        return False
    inside, closed, after = text[opening.end() :].partition(f"</{opening[1]}>")
    return bool(closed and inside.strip() and after.strip())


def _is_small(token: str) -> bool:
    """Whether a word token is one that title case rules out: small, or large but for its first letter."""
    rest = token[1:]
    return token[0].isalpha() and token[0].islower() and (not rest or rest.islower() or rest.isupper())


def title_case(text: str) -> bool:
    """No word token is in small letters, short words included, or has a single small letter at its start."""
    if not any(map(str.islower, text)):
        return True
    blocks = treebank.blocks(sentences(text))
    return not any(any(map(_is_small, filter(_LETTER_FIRST.match, set(block)))) for block in blocks)


def title_case_fixed(text: str) -> bool:
    """No word begins with a small letter but short ones, such as "of" and "the", after the first."""
    words = _WORD.findall(text)
    return (
        bool(words)
        and not any(word[0].islower() and word.lower() not in _MINOR for word in words[1:])
        and (not words[0][0].islower())
    )


INSTRUCTIONS = {
    "format:options": Instruction(options, {"options": OPTIONS}),
    "format:newline": Instruction(newline),
    "format:emoji": Instruction(emoji),
    "format:line_indent": Instruction(line_indent),
    "format:list": Instruction(list_marker, {"sep": TEXT}),
    "format:no_bullets_bullets": Instruction(no_bullets_bullets),
    "format:no_whitespace": Instruction(no_whitespace),
    "format:output_template": Instruction(output_template),
    "format:parentheses": Instruction(parentheses),
    "format:quotes": Instruction(quotes),
    "format:quote_unquote": Instruction(quote_unquote),
    "format:sub-bullets": Instruction(sub_bullets),
    "format:thesis": Instruction(thesis),
    "format:title_case": Instruction(title_case),
}
FIXED = {
    "format:newline~fixed": Instruction(newline_fixed),
    "format:emoji~fixed": Instruction(emoji_fixed),
    "format:no_bullets_bullets~fixed": Instruction(no_bullets_bullets_fixed),
    "format:output_template~fixed": Instruction(output_template_fixed),
    "format:parentheses~fixed": Instruction(parentheses_fixed),
    "format:quotes~fixed": Instruction(quotes_fixed),
    "format:title_case~fixed": Instruction(title_case_fixed),
    "format:line_indent~fixed": Instruction(line_indent_fixed),
    "format:list~fixed": Instruction(list_marker_fixed, {"sep": TEXT}),
    "format:quote_unquote~fixed": Instruction(quote_unquote_fixed),
    "format:sub-bullets~fixed": Instruction(sub_bullets_fixed),
    "format:thesis~fixed": Instruction(thesis_fixed),
}
