"""The verifiable reward: 1 where a response follows all of its instructions, strictly, else 0.

Binary, as the public reviews of the paper state; the checkers are those that score the evaluation. uniapl/scorers
offers it, and the fraction, to trainers outside this suite.
"""

import functools
from collections.abc import Sequence

from uniapl import checkers
from uniapl.errors import UserError


@functools.lru_cache(maxsize=4096)
def _checkers_built(instructions: str, family: str | None) -> tuple[checkers.Checker, ...]:
    return checkers.build_row({"instructions": instructions}, where="", family=family)


def checkers_of(instructions: str, where: str, family: str | None = None) -> tuple[checkers.Checker, ...]:
    """The checkers of the JSON of [instruction_id_list, kwargs], built once. Raises UserError that names `where`."""
    try:
        return _checkers_built(instructions, family)
    except UserError:  # once more with the name, because many rows have the same instructions
        return checkers.build_row({"instructions": instructions}, where=where, family=family)


def names(n: int, key: Sequence | None = None) -> list[str]:
    """How a message names each of n rows: by its key, or else by its place in the batch."""
    return [f"row {i} of the batch" for i in range(1, n + 1)] if key is None else [f"key {value}" for value in key]


def follows_all(completions: list[list[dict]], instructions: list[str], key=None, **_) -> list[float]:
    """TRL reward function. `instructions`: per rollout the JSON of [instruction_id_list, kwargs]; values in {0, 1}.

    Raises UserError that names the row, by the column `key` where the training set has one.
    """
    rows = zip(completions, instructions, names(len(completions), key), strict=True)
    return [
        float(checkers.all_strict(checkers_of(instructions_json, where), answer[0]["content"]))
        for answer, instructions_json, where in rows
    ]
