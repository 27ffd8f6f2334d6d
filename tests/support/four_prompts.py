"""A world small enough to analyse by hand: two arms, two seeds, four prompts."""

import dataclasses

import numpy as np
import pandas as pd

from uniapl.analyse import analyse
from uniapl.analyse.inputs import SPENT, Inputs, Question
from uniapl.config import Claim

PLAN = Question(arms=("base", "grpo", "uniapl"), against=("grpo",))
CLAIMS = (
    Claim("C1", "UniAPL beats GRPO.", "ours", "accuracy", "uniapl", "grpo", "above"),
    Claim("C2", "GRPO writes short.", "ours", "length", "grpo", "uniapl", "above"),
)
BOTH = "greedy", "sampled"
TEST = pd.DataFrame(
    {"key": ["1", "2", "3", "4"], "benchmark": ["trained"] * 3 + ["new_types"], "instructions": [1, 2, 1, 1]}
)
INSTRUCTIONS = [("1", 0, "a:x"), ("2", 0, "a:x"), ("2", 1, "b:y"), ("3", 0, "b:y"), ("4", 0, "c:z")]
STRICT = {  # one digit per row of INSTRUCTIONS
    ("base", 0): "00000",
    ("grpo", 0): "11000",
    ("grpo", 1): "01111",
    ("uniapl", 0): "11110",
    ("uniapl", 1): "11011",
}
RESPONSES = {  # words of the responses to prompts 1, 2, 3
    ("base", 0): (1, 1, 1),
    ("grpo", 0): (2, 4, 6),
    ("grpo", 1): (3, 3, 3),
    ("uniapl", 0): (5, 5, 7),
    ("uniapl", 1): (5, 6, 7),
}


def scores(strict=STRICT):
    """Rows of every run; loose follows one instruction more than strict: the first."""
    rows = []
    for (arm, seed), digits in strict.items():
        for decoding in BOTH:
            for (key, index, name), digit in zip(INSTRUCTIONS, digits, strict=True):
                loose = 1 if (key, index) == ("1", 0) else int(digit)
                rows.append((arm, seed, decoding, key, index, name, int(digit), loose))
    columns = "arm seed decoding key index instruction_id strict loose".split()
    return pd.DataFrame(rows, columns=columns)


def responses():
    rows = [
        (arm, seed, key, " ".join(["word"] * n))
        for (arm, seed), counts in RESPONSES.items()
        for key, n in zip("1234", (*counts, 9), strict=True)
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "key", "response"])


def logprobs():
    """Of grpo only: own tokens at -1 and -3 (mean -2), the expert's at -1; under the base all at -4."""
    rows = []
    for seed in (0, 1):
        for key in "1234":
            rows += [
                ("grpo", seed, key, "own", "self", [-1.0, -3.0]),
                ("grpo", seed, key, "own", "base", [-4.0]),
            ]
            rows += [("grpo", seed, key, "expert", u, [v]) for u, v in (("self", -1.0), ("base", -4.0))]
    return pd.DataFrame(rows, columns=["arm", "seed", "key", "text", "under", "logprobs"])


def history():
    rows = [("grpo", 0, 10, 0.25, None), ("grpo", 0, 20, 0.5, 3.0), ("uniapl", 0, 10, 0.75, None)]
    rows += [("uniapl", 0, 9, 0.5, 1.0), ("uniapl", 1, 3, 0.5, None)]
    return pd.DataFrame(rows, columns=["arm", "seed", "step", "reward", "probe_kl"])


def spent(arm, seed, start, steps, memory):
    return (
        {"arm": arm, "seed": seed, "start": start}
        | dict.fromkeys(SPENT, steps)
        | {"peak_memory_mb": memory, "energy_wh": None}
    )


def runs():
    """uniapl starts from sft, which is no arm of the experiment and of which only one seed exists."""
    return pd.DataFrame(
        [
            spent("base", 0, "scratch", 1000, 999),
            spent("grpo", 0, "base", 10, 5),
            spent("grpo", 1, "base", 20, 7),
            spent("sft", 0, "base", 100, 50),
            spent("uniapl", 0, "sft", 7, 30),
            spent("uniapl", 1, "sft", 7, 30),
        ]
    )


def inputs(**changes):
    expert = pd.DataFrame({"key": list("1234"), "response": ["five words are in here"] * 4})
    given = Inputs(TEST, expert, scores(), responses(), logprobs(), history(), runs())
    return dataclasses.replace(given, **changes)


def run(given=None, plan=PLAN, resamples=199):
    return analyse(given or inputs(), plan, rng=np.random.default_rng(0), resamples=resamples)


def row(table, **wanted):
    if "against" in table:
        wanted = {"decoding": "greedy"} | wanted
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def claim(quantity, arm="uniapl", against="grpo", direction="above", **rest):
    return Claim("C1", "So it is.", "ours", quantity, arm, against, direction, **rest)
