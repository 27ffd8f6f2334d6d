"""The effect of each deviation from the published code, on published responses and on made texts.

    UNIAPL_PUBLISHED_DATA=FOLDER [NLTK_DATA=FOLDER] python -m benchmarks.deviations

The first folder has google-research's and IFBench's files (benchmarks/checkers.py names them), the second punkt_tab,
without which the line on the English model is left out. Prints, for each deviation that changes a count, on how many
texts the count differs, and how many verdicts of the instructions that use it do. docs/scorers.md has the result.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import regex

from uniapl.checkers import punkt, treebank
from uniapl.checkers.arguments import RELATIONS
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl

MADE = {
    "emoji with U+FE0F": "I \u2764\ufe0f rain \u2600\ufe0f",
    "emoji without it": "I \U0001f600 rain",
    "keycap": "Step 1\ufe0f\u20e3",
    "accents as marks": "a re\u0301sume\u0301",
    "accents as letters": "a r\u00e9sum\u00e9",
    "Hindi": "\u0939\u093f\u0928\u094d\u0926\u0940",
    "Arabic with vowel signs": "\u0643\u064e\u062a\u064e\u0628\u064e",
    "Thai": "\u0e27\u0e31\u0e19\u0e19\u0e35\u0e49",
    "abbreviations": "Dr. Who met Mr. Smith, e.g. at 5 p.m. today.",
}


def words(text: str) -> int:
    """As this suite counts: a combining mark ends a word."""
    return len(re.findall(r"\w+", text))


def words_with_marks(text: str) -> int:
    r"""As NLTK counts since 3.10, with the package regex, whose \w has the marks."""
    return len(regex.findall(r"\w+", text))


def sentences(text: str) -> int:
    return len(punkt.sentences(text))


def english_sentences() -> Callable[[str], int] | None:
    """Counts with the downloaded English model; None where it is not there."""
    from nltk.tokenize import PunktTokenizer

    try:
        tokenizer = PunktTokenizer("english")
    except LookupError:
        return None
    return lambda text: len(tokenizer.tokenize(text))


def capital_words(text: str) -> int:
    return sum(word.isupper() for word in treebank.tokens(text))


def capital_words_by_sentence() -> Callable[[str], int] | None:
    """As published: the tokens of each sentence of the downloaded model."""
    from nltk.tokenize import NLTKWordTokenizer, PunktTokenizer

    try:
        cut, tokenizer = PunktTokenizer("english"), NLTKWordTokenizer()
    except LookupError:
        return None
    return lambda text: sum(word.isupper() for sentence in cut.tokenize(text) for word in tokenizer.tokenize(sentence))


# The counted deviations: here, as published, and which argument and relation of which instruction they meet.
COUNTS = {
    "words end at a combining mark": (words, lambda: words_with_marks, "length_constraints:number_words", "num_words"),
    "sentences without a language model": (
        sentences,
        english_sentences,
        "length_constraints:number_sentences",
        "num_sentences",
    ),
    "capital words of the whole text": (
        capital_words,
        capital_words_by_sentence,
        "change_case:capital_word_frequency",
        "capital_frequency",
    ),
}


def published(folder: Path) -> tuple[list[tuple[dict, str]], list[str]]:
    """IFEval's prompts with text-bison's response, and IFBench's sample responses."""
    prompts = {row["prompt"]: row for row in read_jsonl(folder / "ifeval/ifeval_input_textbison_matched.jsonl")}
    answers = read_jsonl(folder / "ifeval/ifeval_textbison_responses.jsonl")
    pairs = [(prompts[row["prompt"]], row["response"]) for row in answers]
    return pairs, [row["response"] for row in read_jsonl(folder / "ifbench/sample_responses_half.jsonl")]


def changed_verdicts(pairs, here, there, instruction_id: str, argument: str) -> tuple[int, int]:
    """How many verdicts on the instruction differ, and how many there are."""
    differ = total = 0
    for row, text in pairs:
        for name, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True):
            if name == instruction_id:
                relation = RELATIONS[kwargs.get("relation") or kwargs["capital_relation"]]
                total += 1
                differ += relation(here(text), kwargs[argument]) != relation(there(text), kwargs[argument])
    return differ, total


@one_line_errors
def main() -> None:
    folder = os.environ.get("UNIAPL_PUBLISHED_DATA")
    if not folder:
        raise UserError("UNIAPL_PUBLISHED_DATA names no folder: set it to the one with ifeval and ifbench")
    pairs, sample = published(Path(folder))
    for name, (here, load, instruction_id, argument) in COUNTS.items():
        there = load()
        if there is None:
            print(f"{name}: NLTK_DATA has no punkt_tab: not measured")
            continue
        print(name)
        for source, texts in (("text-bison", [text for _, text in pairs]), ("IFBench's sample", sample)):
            different = [(here(text), there(text)) for text in texts if here(text) != there(text)]
            most = max((abs(ours - theirs) for ours, theirs in different), default=0)
            print(f"  {source}: another count in {len(different)} of {len(texts)} texts, by {most} at most")
        differ, total = changed_verdicts(pairs, here, there, instruction_id, argument)
        print(f"  {instruction_id} on text-bison: {differ} of {total} verdicts differ")
        written = {what: (here(text), there(text)) for what, text in MADE.items() if here(text) != there(text)}
        print(f"  made texts, here and as published: {json.dumps(written)}")


if __name__ == "__main__":
    main()
