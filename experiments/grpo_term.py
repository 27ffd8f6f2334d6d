"""What does the adversarial term add to GRPO?  Two arms of the staged table, where there is no time for all seven."""

from experiments.arms import A_GRPO, GRPO
from experiments.claims import follows_more, nearer_in_length, not_exploited
from uniapl.config import Experiment

EXPERIMENT = Experiment(
    name="grpo_term",
    question="Does the adversarial term improve GRPO?",
    expectation="On pass rates no difference beyond two points in either direction; A-GRPO's responses are nearer to "
    "the expert's in length, because only the term knows how the expert writes.",
    arms=(GRPO, A_GRPO),
    against=("grpo",),
    worlds=("everyday",),
    most_seeds=2,
    claims=(
        follows_more("grpo_term-1", A_GRPO, GRPO, "[R]"),
        nearer_in_length("grpo_term-2", A_GRPO, GRPO, "[A]"),
        not_exploited("grpo_term-3", A_GRPO),
    ),
)
