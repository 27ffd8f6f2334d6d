"""The 25 instruction types of IFEval (Zhou et al. 2023, arXiv 2311.07911), each as one pure function.

    checkers = build_all(row["instruction_id_list"], row["kwargs"], where="test.jsonl: key 1000")
    all_strict(checkers, response)      # the binary training reward
    check(checkers, response)           # both verdicts of each instruction, for the score

The verdicts are those of the published checkers (lm-eval 0.4.13), one by one, except where these depend on
chance or on the machine, or fail:

- `keywords:letter_frequency` counts the literal character, also "#" and "!". Upstream draws a letter instead.
- Language detection has seed 0 and reads its profiles in sorted order. Upstream draws.
- Sentences are counted by Punkt without a language model, capital words by NLTK's word tokenizer on the whole
  text: nothing is downloaded, and a verdict does not depend on what a machine has installed.
- Words are counted with `re`, for which a combining mark (as in Hindi) ends a word. So did upstream until
  NLTK 3.10, which takes the package `regex` instead.
- Keywords, postscript markers and section names are literal text, not regular expressions. IFEval has none
  with a special character.
- JSON that is nested too deeply to parse is not followed (upstream raises).
- A missing, unexpected or impossible argument raises. Upstream draws one or ignores it.

No checker takes quadratic time: a policy in training writes the odd response that is one character repeated.
"""

import difflib
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from uniapl.errors import UserError

Checker = Callable[[str], bool]
Relation = Callable[[int, int], bool]

ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
RELATIONS: dict[str, Relation] = {"at least": operator.ge, "less than": operator.lt}
POSTSCRIPTS = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}
LANGUAGES = (  # the codes that langdetect 1.0.9 can answer
    "af ar bg bn ca cs cy da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr ne nl no "
    "pa pl pt ro ru sk sl so sq sv sw ta te th tl tr uk ur vi zh-cn zh-tw"
).split()


# What the text is measured with: imported at first use, because NLTK alone takes a second ---------


@lru_cache(maxsize=1)
def _language_factory():
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    factory.seed = 0  # of this factory: every detector that it makes starts from the same state
    # Sorted, because langdetect itself takes the order of the file system and breaks ties by it.
    paths = (Path(PROFILES_DIRECTORY) / code for code in sorted(LANGUAGES))
    factory.load_json_profile([path.read_text(encoding="utf-8") for path in paths])
    return factory


@lru_cache(maxsize=4096)
def detect_language(text: str) -> str | None:
    """langdetect's code for the text, the same at every call; None where the text has nothing to detect."""
    from langdetect import LangDetectException

    detector = _language_factory().create()
    try:
        detector.append(text)
        return detector.detect()
    except LangDetectException:
        return None


@lru_cache(maxsize=1)
def _sentence_tokenizer():
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    return PunktSentenceTokenizer(PunktParameters())


@lru_cache(maxsize=1)
def _word_tokenizer():
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


# keywords -----------------------------------------------------------------------------------------


def existence(text: str, keywords: list[re.Pattern]) -> bool:
    """Every keyword occurs somewhere, in any case, also inside a word."""
    return all(keyword.search(text) for keyword in keywords)


def keyword_frequency(text: str, keyword: re.Pattern, frequency: int, relation: Relation) -> bool:
    """The keyword occurs often (or seldom) enough, in any case, also inside a word."""
    return relation(len(keyword.findall(text)), frequency)


def forbidden_words(text: str, forbidden_words: re.Pattern) -> bool:
    """None of the words occurs as a whole word, in any case."""
    return not forbidden_words.search(text)


def letter_frequency(text: str, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """The character occurs often (or seldom) enough, in any case."""
    return let_relation(text.lower().count(letter), let_frequency)


# language -----------------------------------------------------------------------------------------


def response_language(text: str, language: str) -> bool:
    """The language is detected, or none can be."""
    return detect_language(text) in (language, None)


# length_constraints -------------------------------------------------------------------------------


def number_sentences(text: str, num_sentences: int, relation: Relation) -> bool:
    """The text has enough (or few enough) sentences."""
    return relation(len(_sentence_tokenizer().tokenize(text)), num_sentences)


def number_words(text: str, num_words: int, relation: Relation) -> bool:
    r"""The text has enough (or few enough) runs of \w characters."""
    return relation(len(re.findall(r"\w+", text)), num_words)


def number_paragraphs(text: str, num_paragraphs: int) -> bool:
    """`***` separates exactly so many paragraphs. A blank part at either end is not counted."""
    first, *others = (bool(part.strip()) for part in text.split("***"))
    middle, last = others[:-1], others[-1:]
    return all(middle) and first + len(middle) + sum(last) == num_paragraphs


def nth_paragraph_first_word(text: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Blank lines separate exactly so many paragraphs, and the n-th starts with the word, in any case.

    As upstream, a blank paragraph is not counted but keeps its place in the numbering, and the word ends at
    the first punctuation mark.
    """
    paragraphs = text.split("\n\n")
    words = paragraphs[nth_paragraph - 1].split(maxsplit=1) if nth_paragraph <= len(paragraphs) else []
    if not words or sum(bool(paragraph.strip()) for paragraph in paragraphs) != num_paragraphs:
        return False
    return re.split(r"[.,?!'\"]", words[0].lstrip("'").lstrip('"'))[0].lower() == first_word


# detectable_content -------------------------------------------------------------------------------


def number_placeholders(text: str, num_placeholders: int) -> bool:
    """At least so many [placeholders], each on one line."""
    # A placeholder ends at the first "]" after its "[": so each piece that a "]" ends holds one or none.
    pieces = (piece for line in text.split("\n") for piece in line.split("]")[:-1])
    return sum("[" in piece for piece in pieces) >= num_placeholders


def postscript(text: str, postscript_marker: re.Pattern) -> bool:
    """The marker occurs somewhere, in any case."""
    return bool(postscript_marker.search(text.lower()))


# detectable_format --------------------------------------------------------------------------------


def number_bullet_lists(text: str, num_bullets: int) -> bool:
    """Exactly so many lines begin with a single `*` or with `-`."""
    # As upstream a lone "*" takes the next line with it: the character after it may be the line's end.
    stars = re.findall(r"^[^\S\n]*\*[^*].*", text, flags=re.MULTILINE)
    dashes = sum(line.lstrip().startswith("-") for line in text.split("\n"))
    return len(stars) + dashes == num_bullets


def constrained_response(text: str) -> bool:
    """One of the three allowed answers occurs word by word."""
    return any(answer in text for answer in ANSWERS)


def number_highlighted_sections(text: str, num_highlights: int) -> bool:
    """At least so many *highlighted* or **highlighted** sections that are not blank, each on one line."""
    sections = re.findall(r"\*([^\n*]*)\*", text) + re.findall(r"\*\*([^\n*]*)\*\*", text)
    return sum(bool(section.strip()) for section in sections) >= num_highlights


def multiple_sections(text: str, section_spliter: re.Pattern, num_sections: int) -> bool:
    """At least so many section headings such as `Section 2`."""
    return len(section_spliter.findall(text)) >= num_sections


def json_format(text: str) -> bool:
    """The whole text is JSON, with or without a Markdown fence around it."""
    text = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def title(text: str) -> bool:
    """A line holds a <<title>> that is more than brackets and blanks."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


# combination, startend, change_case, punctuation --------------------------------------------------


def two_responses(text: str) -> bool:
    """`******` separates exactly two different responses; only the first and the last part may be blank."""
    first, *others = (part.strip() for part in text.split("******"))
    responses = [part for part in (first, *others) if part]
    return all(others[:-1]) and len(responses) == 2 and responses[0] != responses[1]


def repeat_prompt(text: str, prompt_to_repeat: str) -> bool:
    """The text starts with the prompt, in any case."""
    return text.strip().lower().startswith(prompt_to_repeat)


def end_checker(text: str, end_phrase: str) -> bool:
    """The text, without quotation marks around it, ends with the phrase, in any case."""
    return text.strip().strip('"').lower().endswith(end_phrase)


def quotation(text: str) -> bool:
    """Double quotation marks wrap the whole text."""
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def capital_word_frequency(text: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """The text has enough (or few enough) words in capital letters; a hyphenated word is one word."""
    words = _word_tokenizer().tokenize(text)
    return capital_relation(sum(word.isupper() for word in words), capital_frequency)


def english_capital(text: str) -> bool:
    """All letters are capitals, and the language is English or cannot be detected."""
    return text.isupper() and response_language(text, "en")  # the cheap condition first


def english_lowercase(text: str) -> bool:
    """All letters are small, and the language is English or cannot be detected."""
    return text.islower() and response_language(text, "en")


def no_comma(text: str) -> bool:
    """No comma occurs."""
    return "," not in text


# Arguments: what each may be, and how a checker takes it ------------------------------------------


class Argument(NamedTuple):
    """A kind of argument: in words, as a test of the value in a data file, as the value for the checker."""

    expected: str
    accepts: Callable[[object], bool]
    read: Callable


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_words(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_text, value))


def _literal(word: str) -> re.Pattern:
    return re.compile(re.escape(word.strip()), re.IGNORECASE)


def _any_word(words: Sequence[str]) -> re.Pattern:
    return re.compile(rf"\b(?:{'|'.join(re.escape(word.strip()) for word in words)})\b", re.IGNORECASE)


def _marker(marker: str) -> re.Pattern:
    return re.compile(POSTSCRIPTS.get(marker.strip(), re.escape(marker.strip().lower())))


def _heading(name: str) -> re.Pattern:
    return re.compile(re.escape(name.strip()) + r"\s?\d+")


COUNT = Argument("a whole number of at least 1", _is_count, int)
RELATION = Argument("'at least' or 'less than'", lambda v: v in list(RELATIONS), RELATIONS.__getitem__)
PHRASE = Argument("text that is not blank", _is_text, lambda v: v.strip().lower())
CHARACTER = Argument("one character", lambda v: isinstance(v, str) and len(v) == 1, str.lower)
LANGUAGE = Argument("a language code of langdetect", lambda v: v in LANGUAGES, str)
KEYWORD = Argument(PHRASE.expected, _is_text, _literal)
KEYWORDS = Argument("a list of words, none blank", _is_words, lambda v: [_literal(word) for word in v])
FORBIDDEN = Argument(KEYWORDS.expected, _is_words, _any_word)
MARKER = Argument(PHRASE.expected, _is_text, _marker)
HEADING = Argument(PHRASE.expected, _is_text, _heading)


# id: (its checker, what each parameter of the checker takes). The id before the colon is the category.
INSTRUCTIONS: dict[str, tuple[Callable[..., bool], dict[str, Argument]]] = {
    "keywords:existence": (existence, {"keywords": KEYWORDS}),
    "keywords:frequency": (keyword_frequency, {"keyword": KEYWORD, "frequency": COUNT, "relation": RELATION}),
    "keywords:forbidden_words": (forbidden_words, {"forbidden_words": FORBIDDEN}),
    "keywords:letter_frequency": (
        letter_frequency,
        {"letter": CHARACTER, "let_frequency": COUNT, "let_relation": RELATION},
    ),
    "language:response_language": (response_language, {"language": LANGUAGE}),
    "length_constraints:number_sentences": (number_sentences, {"num_sentences": COUNT, "relation": RELATION}),
    "length_constraints:number_paragraphs": (number_paragraphs, {"num_paragraphs": COUNT}),
    "length_constraints:number_words": (number_words, {"num_words": COUNT, "relation": RELATION}),
    "length_constraints:nth_paragraph_first_word": (
        nth_paragraph_first_word,
        {"num_paragraphs": COUNT, "nth_paragraph": COUNT, "first_word": PHRASE},
    ),
    "detectable_content:number_placeholders": (number_placeholders, {"num_placeholders": COUNT}),
    "detectable_content:postscript": (postscript, {"postscript_marker": MARKER}),
    "detectable_format:number_bullet_lists": (number_bullet_lists, {"num_bullets": COUNT}),
    "detectable_format:constrained_response": (constrained_response, {}),
    "detectable_format:number_highlighted_sections": (number_highlighted_sections, {"num_highlights": COUNT}),
    "detectable_format:multiple_sections": (
        multiple_sections,
        {"section_spliter": HEADING, "num_sections": COUNT},
    ),
    "detectable_format:json_format": (json_format, {}),
    "detectable_format:title": (title, {}),
    "combination:two_responses": (two_responses, {}),
    "combination:repeat_prompt": (repeat_prompt, {"prompt_to_repeat": PHRASE}),
    "startend:end_checker": (end_checker, {"end_phrase": PHRASE}),
    "startend:quotation": (quotation, {}),
    "change_case:capital_word_frequency": (
        capital_word_frequency,
        {"capital_frequency": COUNT, "capital_relation": RELATION},
    ),
    "change_case:english_capital": (english_capital, {}),
    "change_case:english_lowercase": (english_lowercase, {}),
    "punctuation:no_comma": (no_comma, {}),
}


# Building and applying checkers -------------------------------------------------------------------


def _problem(instruction_id: object, given: Mapping[str, object]) -> str | None:
    """What is wrong with an instruction as a data file gives it, in words; None where nothing is."""
    if not isinstance(instruction_id, str) or instruction_id not in INSTRUCTIONS:
        close = difflib.get_close_matches(str(instruction_id), INSTRUCTIONS, n=1)
        return "unknown instruction" + (f", did you mean {close[0]!r}?" if close else "")
    _, expected = INSTRUCTIONS[instruction_id]
    if missing := expected.keys() - given.keys():
        return f"missing argument {', '.join(sorted(missing))}"
    if unexpected := given.keys() - expected.keys():
        return f"unexpected argument {', '.join(sorted(unexpected))}"
    for name, argument in expected.items():
        if not argument.accepts(given[name]):
            return f"{name} must be {argument.expected}, not {given[name]!r}"
    if "nth_paragraph" in expected and given["nth_paragraph"] > given["num_paragraphs"]:
        return f"there is no paragraph {given['nth_paragraph']} of {given['num_paragraphs']}"
    return None


def build(instruction_id: str, kwargs: Mapping[str, object], *, where: str = "") -> Checker:
    """The checker of one instruction, to be built once and used for every response and variant.

    Arguments that are None are dropped: Hugging Face's copy of IFEval pads every row with them. Raises
    UserError (a ValueError) that names `where` (file and line, or key), the id and the problem.
    """
    given = {name: value for name, value in kwargs.items() if value is not None}
    if problem := _problem(instruction_id, given):
        raise UserError(f"{where + ': ' if where else ''}{instruction_id}: {problem}")
    follows, arguments = INSTRUCTIONS[instruction_id]
    return partial(follows, **{name: argument.read(given[name]) for name, argument in arguments.items()})


def build_all(ids: Sequence[str], kwargs: Sequence[Mapping], *, where: str = "") -> tuple[Checker, ...]:
    """The checkers of one prompt, in its order, one for each time that an id occurs. Raises like `build`."""
    if len(ids) != len(kwargs):
        problem = f"{len(ids)} in instruction_id_list but {len(kwargs)} in kwargs"
        raise UserError(f"{where + ': ' if where else ''}{problem}")
    return tuple(build(i, k, where=where) for i, k in zip(ids, kwargs, strict=True))


def variants(response: str) -> tuple[str, ...]:
    """The texts that the loose rule tries: without the first, the last or both lines, each also without "*".

    The response itself comes first. Equal texts come once, blank ones are left out: they follow nothing.
    """
    lines = response.split("\n")
    cut = ("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))
    kept = (response, *cut)
    return tuple(dict.fromkeys(v for text in kept for v in (text, text.replace("*", "")) if v.strip()))


@dataclass(frozen=True)
class Verdicts:
    """Whether each instruction of a prompt is followed, in the prompt's order. Strict implies loose."""

    strict: tuple[bool, ...]
    loose: tuple[bool, ...]


def check(checkers: Sequence[Checker], response: str) -> Verdicts:
    """Both verdicts on a response; a blank one follows nothing."""
    texts = variants(response)
    strict = tuple(bool(texts) and follows(response) for follows in checkers)
    loose = tuple(s or any(map(follows, texts[1:])) for s, follows in zip(strict, checkers, strict=True))
    return Verdicts(strict, loose)


def all_strict(checkers: Sequence[Checker], response: str) -> bool:
    """The binary reward: the response as it is follows every instruction. Stops at the first that fails."""
    return bool(response.strip()) and all(follows(response) for follows in checkers)
