"""The 25 instruction types of IFEval (Zhou et al. 2023, arXiv 2311.07911), each as one pure function.

The verdicts are those of the published checkers (lm-eval 0.4.13), one by one, except where these depend on
chance or on the machine, or fail:

- `keywords:letter_frequency` counts the literal character, also "#" and "!". Upstream draws a letter instead.
- Language detection has seed 0 and reads its profiles in sorted order. Upstream draws.
- Sentences are counted by Punkt without a language model, capital words by NLTK's word tokens of the whole
  text: nothing is downloaded, and a verdict does not depend on what a machine has installed.
- Words are counted with `re`, for which a combining mark (as in Hindi) ends a word. So did upstream until
  NLTK 3.10, which takes the package `regex` instead: there an emoji with U+FE0F is a word of its own.
- Keywords, postscript markers and section names are literal text, not regular expressions. IFEval has none
  with a special character.
- JSON that is nested too deeply to parse is not followed (upstream raises).
- A missing, unexpected or impossible argument raises. Upstream draws one or ignores it.

No checker takes quadratic time: a policy in training writes the odd response that is one character repeated.
"""

import json
import re
from collections.abc import Mapping

from uniapl.checkers import punkt, treebank
from uniapl.checkers.arguments import (
    CHARACTER,
    COUNT,
    FORBIDDEN,
    HEADING,
    KEYWORD,
    KEYWORDS,
    LANGUAGE,
    MARKER,
    PHRASE,
    RELATION,
    Instruction,
    Relation,
)
from uniapl.checkers.texts import detect_language

NO_CAPITALS = "\n" + "".join(c for c in map(chr, range(32, 127)) if not c.isupper())
SMALL_WORD = re.compile(r"(?<![^ \n])(?:[!-@\[-~]++|[A-Z][a-z]++[.,]?)(?=[ \n])")  # "small", or "Capitalized."

ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


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
    if sum(map(text.count, ".?!")) + 1 < num_sentences:  # no sentence but the last is without one
        return relation(0, num_sentences)
    return relation(len(punkt.sentences(text)), num_sentences)


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


def without_small_words(text: str) -> str:
    """The text without most words that have no capital but the first: the tokenizer looks at each word by itself.

    What follows the last capital stays, because the tokenizer treats the text's end in its own way.
    """
    start = text.rstrip(NO_CAPITALS)
    return SMALL_WORD.sub("", start) + text[len(start) :]


def capital_word_frequency(text: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """The text has enough (or few enough) words in capital letters; a hyphenated word is one word."""
    if sum(map(str.isupper, text)) < capital_frequency:  # every such word holds a capital letter
        return capital_relation(0, capital_frequency)
    words = treebank.tokens(without_small_words(text))
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


def _paragraph_exists(kwargs: Mapping) -> str | None:
    if kwargs["nth_paragraph"] > kwargs["num_paragraphs"]:
        return f"there is no paragraph {kwargs['nth_paragraph']} of {kwargs['num_paragraphs']}"
    return None


INSTRUCTIONS: dict[str, Instruction] = {
    "keywords:existence": Instruction(existence, {"keywords": KEYWORDS}),
    "keywords:frequency": Instruction(
        keyword_frequency, {"keyword": KEYWORD, "frequency": COUNT, "relation": RELATION}
    ),
    "keywords:forbidden_words": Instruction(forbidden_words, {"forbidden_words": FORBIDDEN}),
    "keywords:letter_frequency": Instruction(
        letter_frequency,
        {"letter": CHARACTER, "let_frequency": COUNT, "let_relation": RELATION},
    ),
    "language:response_language": Instruction(response_language, {"language": LANGUAGE}),
    "length_constraints:number_sentences": Instruction(
        number_sentences, {"num_sentences": COUNT, "relation": RELATION}
    ),
    "length_constraints:number_paragraphs": Instruction(number_paragraphs, {"num_paragraphs": COUNT}),
    "length_constraints:number_words": Instruction(number_words, {"num_words": COUNT, "relation": RELATION}),
    "length_constraints:nth_paragraph_first_word": Instruction(
        nth_paragraph_first_word,
        {"num_paragraphs": COUNT, "nth_paragraph": COUNT, "first_word": PHRASE},
        together=_paragraph_exists,
    ),
    "detectable_content:number_placeholders": Instruction(number_placeholders, {"num_placeholders": COUNT}),
    "detectable_content:postscript": Instruction(postscript, {"postscript_marker": MARKER}),
    "detectable_format:number_bullet_lists": Instruction(number_bullet_lists, {"num_bullets": COUNT}),
    "detectable_format:constrained_response": Instruction(constrained_response),
    "detectable_format:number_highlighted_sections": Instruction(
        number_highlighted_sections, {"num_highlights": COUNT}
    ),
    "detectable_format:multiple_sections": Instruction(
        multiple_sections,
        {"section_spliter": HEADING, "num_sections": COUNT},
    ),
    "detectable_format:json_format": Instruction(json_format),
    "detectable_format:title": Instruction(title),
    "combination:two_responses": Instruction(two_responses),
    "combination:repeat_prompt": Instruction(repeat_prompt, {"prompt_to_repeat": PHRASE}),
    "startend:end_checker": Instruction(end_checker, {"end_phrase": PHRASE}),
    "startend:quotation": Instruction(quotation),
    "change_case:capital_word_frequency": Instruction(
        capital_word_frequency,
        {"capital_frequency": COUNT, "capital_relation": RELATION},
    ),
    "change_case:english_capital": Instruction(english_capital),
    "change_case:english_lowercase": Instruction(english_lowercase),
    "punctuation:no_comma": Instruction(no_comma),
}
