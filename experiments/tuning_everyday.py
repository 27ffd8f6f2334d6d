"""Which settings for which arm of a real language model?  `snakemake tuning --config scale=small`, validation prompts.

SFT has the widest grid, because a weak SFT makes every mixture look good (arXiv 2604.23747 found exactly this in the
literature): five rates a factor of two apart, and at the middle one another schedule, half and twice the steps. GRPO,
the pipeline and UniAPL have three rates each, a factor of two and a half apart. One seed that no other run uses. If the
best of a grid stands at its edge, the grid grows on that side before anything is chosen; the choice goes into
experiments/scales.py by hand, with the table that justified it in results/LOG.md. mu and lambda are not tuned.
"""

from baselines import grpo, sft, uniapl
from experiments.tuning import candidates
from uniapl.config import Arm, Experiment

MIDDLE = 4e-5

EXPERIMENT = Experiment(
    name="tuning_everyday",
    question="Which learning rate, schedule and number of steps give each arm its best validation accuracy?",
    expectation="About 4e-5 for SFT, two epochs no better than one; 4e-5 for GRPO, since 1e-5 moved nothing in ten "
    "steps of a first look; less after SFT.",
    arms=(
        *candidates("everyday_sft", sft, (1e-5, 2e-5, MIDDLE, 8e-5, 1.6e-4)),
        Arm("everyday_sft_linear", sft, changes={"learning_rate": MIDDLE, "schedule": "linear"}),
        Arm("everyday_sft_half", sft, changes={"learning_rate": MIDDLE, "steps": 10}),
        Arm("everyday_sft_twice", sft, changes={"learning_rate": MIDDLE, "steps": 40}),
        *candidates("everyday_grpo", grpo, (1.6e-5, 4e-5, 1e-4)),
        *candidates("everyday_sft_then_grpo", grpo, (1.6e-5, 4e-5, 1e-4), start="sft"),
        *candidates("everyday_uniapl", uniapl, (1.6e-5, 4e-5, 1e-4)),
    ),
    against=(),
    split="validation",
    seeds=(100,),
    worlds=("everyday",),
)
