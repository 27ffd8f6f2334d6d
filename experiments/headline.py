"""Does one single-stage objective beat the pipeline, at equal budgets?

The paper's headline in miniature: UniAPL beside SFT, GRPO and SFT-then-GRPO, five seeds, every prompt paired.
Equal between `uniapl` and `sft_then_grpo`: rows, rollouts, prompts, effort (experiments/tuning.py).
Not equal: optimizer steps (the pipeline's SFT steps come on top) and the discriminator's score, which only UniAPL
sees; tables/cost has both.
"""

from uniapl.config import Arm, Experiment

EXPERIMENT = Experiment(
    name="headline",
    question="Does the single-stage objective with three terms beat SFT, GRPO and SFT-then-GRPO?",
    expectation="GRPO and SFT both improve on the base, the pipeline on both. UniAPL beats GRPO. Against the pipeline: "
    "open on trained instruction types; better on types never trained on, which SFT forgets.",
    arms=(
        Arm("sft", "baselines.sft"),
        Arm("grpo", "baselines.grpo"),
        Arm("sft_then_grpo", "baselines.grpo", start="sft", changes={"learning_rate": 3e-4}),
        Arm("uniapl", "uniapl.recipe"),
    ),
    against=("grpo", "sft_then_grpo"),
)
