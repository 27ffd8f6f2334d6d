"""The scorers for use from elsewhere: as reward functions of TRL, and from Python.

    from uniapl.scorers import reward                       # GRPOTrainer(reward_funcs=reward, ...)

    from uniapl.scorers import score
    frame = score("prompts.jsonl", "responses.jsonl")       # a row per instruction: key, instruction_id, strict, loose
    print(frame.groupby("key").strict.min().mean())         # IFEval's prompt-level strict accuracy

`reward` and `fraction` read these columns of the training set, and no other:

    instruction_id_list, kwargs   as in IFEval's rows; arguments that are None are padding, as are rows without any
    instructions                  instead of both: the JSON of [instruction_id_list, kwargs]. One text column holds
                                  arguments of any type, where a data set of objects needs one type per name
    key                           if there is one, messages name a row by it

A row is read as by the scorer (uniapl/checkers/row.py): what it refuses, the rewards refuse, in the same words.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from uniapl import checkers
from uniapl.checkers.reward import checkers_of, follows_all, names
from uniapl.checkers.thinking import strip_thinking
from uniapl.data.prompts import each_prompt, each_valid
from uniapl.errors import UserError
from uniapl.scorers import verdicts as stage
from uniapl.scorers.responses import each_response
from uniapl.scorers.verdicts import summary

if TYPE_CHECKING:
    from uniapl.scorers.comparison import compare
    from uniapl.scorers.reports import report

__all__ = ["compare", "fraction", "report", "reward", "score", "strip_thinking", "summary"]

_WITH_INTERVALS = {"compare": "comparison", "report": "reports"}  # they import SciPy: only where they are used


def __getattr__(name: str):
    if name in _WITH_INTERVALS:
        return getattr(importlib.import_module(f"uniapl.scorers.{_WITH_INTERVALS[name]}"), name)
    raise AttributeError(f"module 'uniapl.scorers' has no attribute {name!r}")


def _instructions(columns: Mapping[str, Sequence | None], where: Sequence[str]) -> list[str]:
    """The JSON of each rollout's instructions. Raises UserError where a column is missing, and for a row's form."""
    present = {name: column for name, column in columns.items() if column is not None}
    if "instructions" in present and len(present) > 1:
        others = " and ".join(sorted(present.keys() - {"instructions"}))
        raise UserError(f"the training set has instructions and {others}, which say the same: remove one of the two")
    if not present.keys() & {"instructions", "instruction_id_list"}:
        raise UserError(
            "the reward needs the columns instruction_id_list and kwargs, or the column instructions in their place: "
            "keep them in the training set"
        )
    rows = [dict(zip(present, values, strict=True)) for values in zip(*present.values(), strict=True)]
    return [json.dumps(checkers.read_instructions(row, here)) for row, here in zip(rows, where, strict=True)]


def _chat(completion: str | Sequence[Mapping]) -> list[Mapping]:
    """A completion, text or messages, as one message: the last is the answer, those before it call tools."""
    return [{"content": completion} if isinstance(completion, str) else completion[-1]]


def reward(completions, instruction_id_list=None, kwargs=None, instructions=None, key=None, **_) -> list[float]:
    """TRL reward function: 1.0 where a completion follows all of its instructions, strictly, else 0.0."""
    columns = {"instruction_id_list": instruction_id_list, "kwargs": kwargs, "instructions": instructions}
    return follows_all(
        completions=[_chat(completion) for completion in completions],
        instructions=_instructions(columns, names(len(completions), key)),
        key=key,
    )


def fraction(completions, instruction_id_list=None, kwargs=None, instructions=None, key=None, **_) -> list[float]:
    """TRL reward function: the share of its instructions that a completion follows, strictly."""
    columns = {"instruction_id_list": instruction_id_list, "kwargs": kwargs, "instructions": instructions}
    where = names(len(completions), key)
    shares = []
    for completion, row_instructions, here in zip(completions, _instructions(columns, where), where, strict=True):
        text = _chat(completion)[0]["content"]
        followed = [checkers.all_strict((checker,), text) for checker in checkers_of(row_instructions, here)]
        shares.append(sum(followed) / len(followed))
    return shares


def score(
    prompts: str | Path | list[dict], responses: str | Path | list[dict] | list[str], *, family: str | None = None
) -> pd.DataFrame:
    """One row per instruction: key, [benchmark,] index, instruction_id, strict, loose (1 is followed).

    Prompts: a JSON Lines file or its rows. Responses: a file (JSON Lines or Parquet), its rows with response and key or
    prompt, or one text per prompt in their order. Raises UserError like the command: an unknown instruction, one that
    is not of `family`, a prompt without response; and for multi_if, whose conversations are no prompts.
    """
    if family == "multi_if":
        raise UserError("family multi_if: has conversations, no prompts: score them by uniapl.scorers.multi_if.score")
    if isinstance(prompts, str | Path):
        asked = each_prompt(prompts, family)
    else:
        asked = each_valid(prompts, "prompts", family)
    if isinstance(responses, str | Path):
        responses = each_response(responses)
    elif all(isinstance(response, str) for response in responses):
        asked = list(asked)
        if len(responses) != len(asked):
            raise UserError(f"{len(responses)} responses to {len(asked)} prompts: give one for each, in their order")
        rows = zip(asked, responses, strict=True)
        responses = [{"key": prompt["key"], "response": response} for prompt, response in rows]
    return stage.score(asked, responses)
