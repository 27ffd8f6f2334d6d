"""The verifiable reward: 1 where a response follows all of its instructions, strictly, else 0.

Binary, as the public reviews of the paper state; the checkers are those that score the evaluation. uniapl/scorers.py
offers it, and the fraction, to trainers outside this suite.
"""

import functools
import json

from uniapl import checkers


@functools.lru_cache(maxsize=4096)
def built(instructions: str) -> tuple[checkers.Checker, ...]:
    """The checkers of the JSON of [instruction_id_list, kwargs], built once."""
    return checkers.build_all(*json.loads(instructions))


def follows_all(completions: list[list[dict]], instructions: list[str], **_) -> list[float]:
    """TRL reward function. `instructions`: per rollout the JSON of [instruction_id_list, kwargs]; values in {0, 1}."""
    return [
        float(checkers.all_strict(built(asked), completion[0]["content"]))
        for completion, asked in zip(completions, instructions, strict=True)
    ]
