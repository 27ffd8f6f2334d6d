"""Which settings for which arm of Qwen3?  `snakemake tuning --config scale=paper`, validation prompts, before the run.

The scale's rates are by analogy with scripts for 7B. SFT has the widest grid, because a weak SFT makes every mixture
look good (arXiv 2604.23747): five rates a factor of two apart and, at the middle one, another schedule, half and twice
the steps. GRPO, the pipeline and UniAPL have three rates each, a factor of two apart; GRPO's lowest is that of public
IF-RLVR runs on these prompts. One seed that no other run uses. If the best of a grid stands at its edge, the grid grows
on that side before anything is chosen. The choice goes into experiments/scales.py by hand, with the table that
justified it in results/LOG.md. mu and lambda are not tuned. `uniapl plan --scale paper` has its price.
"""

from baselines import grpo, sft, uniapl
from experiments.tuning import candidates
from uniapl.config import Arm, Experiment

MIDDLE = 1e-5
ON_ROLLOUTS = (5e-7, 1e-6, 2e-6)

EXPERIMENT = Experiment(
    name="tuning_public",
    question="Which learning rate, schedule and number of steps give each arm its best validation accuracy?",
    expectation="About 1e-5 for SFT, four epochs no better than two; 1e-6 for GRPO, also after SFT; 5e-6 for UniAPL.",
    arms=(
        *candidates("public_sft", sft, (2.5e-6, 5e-6, MIDDLE, 2e-5, 4e-5)),
        Arm("public_sft_cosine", sft, changes={"learning_rate": MIDDLE, "schedule": "cosine"}),
        Arm("public_sft_half", sft, changes={"learning_rate": MIDDLE, "steps": 128}),
        Arm("public_sft_twice", sft, changes={"learning_rate": MIDDLE, "steps": 512}),
        *candidates("public_grpo", grpo, ON_ROLLOUTS),
        *candidates("public_sft_then_grpo", grpo, ON_ROLLOUTS, start="sft"),
        *candidates("public_uniapl", uniapl, (2.5e-6, 5e-6, 1e-5)),
    ),
    against=(),
    split="validation",
    seeds=(100,),
    worlds=("public",),
)
