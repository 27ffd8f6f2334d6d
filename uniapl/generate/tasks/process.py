"""What lm-eval calls for our instruction-following tasks: the prompts, and our checkers on each response.

Reward, harness and score cannot disagree: the checkers are the same, and so is the check of the prompts.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from uniapl import checkers
from uniapl.checkers.reward import checkers_of
from uniapl.data.conversations import read_conversations, read_row
from uniapl.data.prompts import read_prompts, valid_prompts
from uniapl.errors import UserError


def _from_hub(source: str) -> list[dict]:
    """The rows of `owner/name@revision`. Raises UserError where the source is not of that form."""
    hub, _, revision = source.partition("@")
    if not revision or hub.count("/") != 1:
        raise UserError(f"{source or 'no source'}: no such file; name a file, or a data set as owner/name@revision")
    from datasets import load_dataset

    return list(load_dataset(hub, revision=revision, split="train"))


def prompts(source: str) -> list[dict]:
    """Valid prompts in IFEval's form, of a JSON Lines file or of the hub. Raises UserError."""
    return read_prompts(source) if Path(source).is_file() else valid_prompts(_from_hub(source), source)


def first_turns(source: str) -> list[dict]:
    """The first turns of Multi-IF's conversations in IFEval's form, of its file or of the hub. Raises UserError."""
    if Path(source).is_file():
        conversations = read_conversations(source)
    else:
        numbered = enumerate(_from_hub(source), start=1)
        conversations = [read_row(row, f"{source}: row {number}") for number, row in numbered]
    return [
        {
            "key": conversation.key,
            "prompt": conversation.turns[0].prompt,
            "instruction_id_list": conversation.turns[0].instruction_id_list,
            "kwargs": conversation.turns[0].kwargs,
        }
        for conversation in conversations
    ]


def _documents(
    reader: Callable[[str], list[dict]],
    benchmark: str = "",
    pinned: str = "",
    data_files: dict | None = None,
    **metadata,
) -> dict:
    """The split `test`: key, prompt, and instructions, the JSON of ids and arguments.

    From, in this order: the file that a task's `data_files` names; lm-eval's --metadata '{"uniapl_ifeval": SOURCE}';
    the environment variable UNIAPL_IFEVAL; the task's pinned data set. --metadata also brings the model's arguments.
    """
    from datasets import Dataset

    named = metadata.get(benchmark) or os.environ.get(benchmark.upper())
    source = data_files["test"] if data_files else named or pinned
    rows = [
        {
            "key": row["key"],
            "prompt": row["prompt"],
            "instructions": json.dumps([row["instruction_id_list"], row["kwargs"]]),
        }
        for row in reader(source)
    ]
    return {"test": Dataset.from_list(rows)}


def documents(**options) -> dict:
    """lm-eval's `custom_dataset` of prompts in IFEval's form."""
    return _documents(prompts, **options)


def multi_if_documents(**options) -> dict:
    """lm-eval's `custom_dataset` of Multi-IF."""
    return _documents(first_turns, **options)


def _metrics(instructions: Sequence[checkers.Checker], response: str) -> dict:
    """The four IFEval metrics of one response; instruction-level ones as lists, which `mean_of_lists` pools."""
    verdicts = checkers.check(instructions, response)
    return {
        "prompt_strict": float(all(verdicts.strict)),
        "inst_strict": list(verdicts.strict),
        "prompt_loose": float(all(verdicts.loose)),
        "inst_loose": list(verdicts.loose),
    }


def process_results(doc: dict, results: list[str]) -> dict:
    """lm-eval's metrics of one response."""
    return _metrics(checkers_of(doc["instructions"], f"key {doc['key']}"), results[0])


def multi_if_results(doc: dict, results: list[str]) -> dict:
    """lm-eval's metrics of one response, by Multi-IF's checkers, which know other languages than English."""
    return _metrics(checkers_of(doc["instructions"], f"key {doc['key']}", "multi_if"), results[0])


def mean_of_lists(items: list[list[bool]]) -> float:
    """The share of instructions that are followed, over all prompts."""
    flat = [passed for item in items for passed in item]
    return sum(flat) / len(flat)
