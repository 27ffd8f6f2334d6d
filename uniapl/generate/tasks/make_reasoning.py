"""Writes reasoning.jsonl, the questions of the procedural tasks, anew. Only this needs envs/reasoning.txt.

    pip install --no-deps --require-hashes -r envs/reasoning.txt
    python -m uniapl.generate.tasks.make_reasoning --out reasoning.jsonl

The file is committed: its generator imports seven packages that no answer needs, one of them C to be compiled. The
same version and seed write the same bytes; data sets whose questions depend on Python's hash seed beside their own
(ransom_note, isomorphic_strings: findings/reasoning_gym_seed.sh) are not used. Entry i is drawn from SEED + i: another
set of questions needs a seed more than 10 QUESTIONS away (findings/reasoning_gym_neighbours.sh).
"""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uniapl.errors import UserError, one_line_errors
from uniapl.generate.tasks.general import REASONING, SHA256
from uniapl.jsonl import write_jsonl
from uniapl.provenance import sha256_of

VERSION, SEED, QUESTIONS = "0.1.25", 2026, 120
YES_NO = ["Yes", "No"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
RELATIONS = """father mother son daughter husband wife brother sister grandfather grandmother grandson granddaughter
    uncle aunt nephew niece cousin""".split()


@dataclass(frozen=True)
class Source:
    """A data set of reasoning-gym with its settings; `options` gives those of a question, `kept` which are asked."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Callable[[str], list[str]] = lambda question: []
    kept: Callable[[str], bool] = lambda answer: True


def names(question: str) -> list[str]:
    """Who does something in a question of needle_haystack: the first words of its sentences."""
    return sorted(set(re.findall(r"(?:^|\. )([A-Z][\w'-]+)", question.split("\n")[0])))


SOURCES = {  # the task's name -> what its questions are drawn from, made as easy as the settings allow
    "sum_of_digits": Source("chain_sum", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}),
    "sum_of_two": Source("chain_sum", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 2}),
    "product": Source("products", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}),
    "expression": Source("basic_arithmetic", {"min_terms": 2, "max_terms": 3, "min_digits": 1, "max_digits": 1}),
    "common_divisor": Source("gcd", {"min_numbers": 2, "max_numbers": 2, "min_value": 1, "max_value": 20}),
    "common_multiple": Source("lcm", {"min_numbers": 2, "max_numbers": 2, "min_value": 1, "max_value": 10}),
    "letters": Source("letter_counting", {"min_words": 1, "max_words": 4}),
    "sequence": Source("number_sequence"),
    "syllogism": Source("syllogism", options=lambda question: YES_NO),
    "family": Source(
        "family_relationships", {"min_family_size": 3, "max_family_size": 3}, options=lambda question: RELATIONS
    ),
    "haystack": Source("needle_haystack", {"min_num_statements": 3, "max_num_statements": 6}, options=names),
    "weekday": Source("calendar_arithmetic", options=lambda question: DAYS, kept=lambda answer: answer in DAYS),
}


def rows() -> list[dict]:
    """task, question, answer, options: QUESTIONS different ones of each task. Raises UserError at another version."""
    import importlib.metadata

    try:
        from reasoning_gym.factory import create_dataset
    except ImportError as error:
        raise UserError(f"{error}: pip install --no-deps --require-hashes -r envs/reasoning.txt") from error
    if (found := importlib.metadata.version("reasoning-gym")) != VERSION:
        raise UserError(f"reasoning-gym is {found}, and the questions are those of {VERSION}: envs/reasoning.txt")
    found = []
    for task, source in SOURCES.items():
        drawn = create_dataset(source.name, seed=SEED, size=10 * QUESTIONS, **source.settings)
        seen: dict[str, str] = {}
        for entry in drawn:
            question, answer = entry["question"].strip(), str(entry["answer"])
            if question not in seen and source.kept(answer):
                seen[question] = answer
            if len(seen) == QUESTIONS:
                break
        found += [
            {"task": task, "question": question, "answer": answer, "options": source.options(question)}
            for question, answer in seen.items()
        ]
    return found


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REASONING)
    args = parser.parse_args(argv)
    write_jsonl(args.out, rows())
    digest = sha256_of(args.out)
    print(f"{args.out}: {digest}, {'as recorded' if digest == SHA256['reasoning'] else 'NOT as recorded'}")


if __name__ == "__main__":
    main()
