"""Does one single-stage objective beat the pipeline, at equal budgets?

The paper's headline in miniature: UniAPL beside SFT, GRPO and SFT-then-GRPO, five seeds, every prompt paired.
Equal between `uniapl` and `sft_then_grpo`: rows, rollouts, prompts, effort (experiments/tuning.py).
Not equal: optimizer steps (the pipeline's SFT steps come on top) and the discriminator's score, which only UniAPL
sees; tables/cost has both. The claims were written after a first run of this experiment had been seen.
"""

from experiments.arms import GRPO, SFT, SFT_THEN_GRPO, UNIAPL
from experiments.claims import RATE, follows_more, nearer_in_length, not_exploited, transfers_better
from uniapl.config import Experiment

EXPERIMENT = Experiment(
    name="headline",
    question="Does the single-stage objective with three terms beat SFT, GRPO and SFT-then-GRPO?",
    expectation="GRPO and SFT both improve on the base, the pipeline on both. UniAPL beats GRPO. Against the pipeline: "
    "open on trained instruction types; better on types never trained on, which SFT forgets.",
    arms=(SFT, GRPO, SFT_THEN_GRPO, UNIAPL),
    against=("grpo", "sft_then_grpo"),
    worlds=("miniature", "everyday", "public"),
    claims=(
        follows_more("headline-1", UNIAPL, GRPO, "[A]", differs=RATE),
        follows_more("headline-2", UNIAPL, SFT_THEN_GRPO, "[A]", differs=RATE),
        transfers_better("headline-3", UNIAPL, SFT_THEN_GRPO, "[K]", differs=RATE),
        nearer_in_length("headline-4", UNIAPL, GRPO, "[A]", differs=RATE),
        nearer_in_length("headline-5", UNIAPL, SFT_THEN_GRPO, "[A]", differs=RATE),
        not_exploited("headline-6", UNIAPL),
    ),
)
