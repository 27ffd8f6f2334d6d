"""Which learning rate for which arm?  `snakemake tuning`: three candidates each, on the validation split.

The same effort for every arm: three learning rates, one seed that the headline does not use, chosen by prompt-level
strict accuracy on the validation prompts of trained types. GRPO after SFT and UniAPL have a fourth, because the lowest
had won. The choice is written into experiments/scales.py by hand, with the table that justified it in results/LOG.md.
mu and lambda of UniAPL are not tuned.
"""

from baselines import grpo, sft, uniapl
from uniapl.config import Arm, Experiment, Method


def candidates(
    name: str, method: Method, rates: tuple[float, ...], *, start: str = "base", **changes: float
) -> list[Arm]:
    """One arm per learning rate, named by it; `changes` are settings that all of them have."""
    return [
        Arm(f"{name}_lr{i + 1}", method, start=start, changes={"learning_rate": rate, **changes})
        for i, rate in enumerate(rates)
    ]


EXPERIMENT = Experiment(
    name="tuning",
    question="Which learning rate gives each arm its best validation accuracy?",
    expectation="About 2e-3 for SFT and UniAPL; 5e-4 for GRPO, since 1e-3 degraded language in a first look.",
    arms=(
        *candidates("sft", sft, (2e-3, 4e-3, 8e-3)),
        *candidates("grpo", grpo, (3e-4, 5e-4, 8e-4)),
        *candidates("sft_then_grpo", grpo, (3e-4, 5e-4, 8e-4, 1.5e-4), start="sft"),
        *candidates("uniapl", uniapl, (1e-3, 2e-3, 4e-3, 5e-4)),
    ),
    against=(),
    split="validation",
    seeds=(100,),
    worlds=("miniature",),
)
