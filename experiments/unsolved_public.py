"""Does it cost GRPO anything to train only on prompts that the teacher solved?

All arms share one set of training prompts: those with an accepted demonstration, which are easier than what was asked.
A method of rollouts alone could learn from the others too (baselines/grpo_unsolved.py). Steps and rollouts are equal,
so an arm with more prompts sees each of them less often.
"""

from experiments.arms import GRPO, GRPO_UNSOLVED, SFT_THEN_GRPO, SFT_THEN_GRPO_UNSOLVED
from experiments.claims import follows_more
from uniapl.config import Experiment

EXPERIMENT = Experiment(
    name="unsolved_public",
    question="Does GRPO follow more prompts, alone and after SFT, if it also trains on those that the teacher failed?",
    expectation="No difference beyond two points: they are a small share, and most of their groups have no variance.",
    arms=(GRPO, GRPO_UNSOLVED, SFT_THEN_GRPO, SFT_THEN_GRPO_UNSOLVED),
    against=("grpo", "sft_then_grpo"),
    worlds=("public",),
    extended=True,
    claims=(
        follows_more("unsolved-1", GRPO_UNSOLVED, GRPO, "ours"),
        follows_more("unsolved-2", SFT_THEN_GRPO_UNSOLVED, SFT_THEN_GRPO, "ours"),
    ),
)
