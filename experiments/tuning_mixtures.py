"""Which learning rate for which mixture?  `snakemake tuning`: three or four candidates each, on the validation split.

The same effort for every method, and none more than the pipeline: its SFT has four candidates here beside the three of
experiments/tuning.py, because the best of those stood at the grid's edge, and demonstrations learned at UniAPL's
settings beat them; GRPO after SFT has three more there. One seed that no other run uses. The choice is written into
experiments/scales.py by hand, with the table that justified it in results/LOG.md; what is no learning rate is each
method's own, with its source.
"""

from baselines import (
    adversarial_reward,
    dft,
    hpt,
    luffy,
    prefix_rft,
    psft,
    relift,
    rl_plus,
    sdft,
    sft,
    srft,
    trapo,
    trsft,
    uniapl,
)
from experiments.tuning import candidates
from uniapl.config import Arm, Experiment

ROLLOUTS = (5e-4, 1e-3, 2e-3)  # of methods that learn demonstrations among rollouts
FIRST_STAGE = (2e-3, 4e-3, 8e-3)
GRIDS = {  # a fourth candidate stands last: it was added because the best of three stood at the grid's edge
    luffy: ROLLOUTS,
    hpt: (*ROLLOUTS, 4e-3),
    prefix_rft: (*ROLLOUTS, 2.5e-4),
    relift: ROLLOUTS,
    trapo: ROLLOUTS,
    srft: (*ROLLOUTS, 4e-3),
    rl_plus: (*ROLLOUTS, 4e-3),
    adversarial_reward: (*ROLLOUTS, 2.5e-4),
    sdft: ROLLOUTS,
    dft: (*FIRST_STAGE, 1e-3),
    psft: (*FIRST_STAGE, 1e-3),
    trsft: (*FIRST_STAGE, 1e-3),
}

EXPERIMENT = Experiment(
    name="tuning_mixtures",
    question="Which learning rate gives each mixture, and the pipeline's first stage, its best validation accuracy?",
    expectation="About 1e-3 for methods that mix; 2e-3 and a constant schedule for SFT, as UniAPL has.",
    arms=(
        Arm("sft_constant_lr1", sft, changes={"learning_rate": 1e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_constant_lr2", sft, changes={"learning_rate": 2e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_constant_lr3", sft, changes={"learning_rate": 4e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_lr4", sft, changes={"learning_rate": 1.6e-2}),
        *candidates("chord", uniapl, (1e-3, 2e-3, 4e-3, 5e-4), lam=0.0),
        *(arm for method, rates in GRIDS.items() for arm in candidates(method.__name__.split(".")[-1], method, rates)),
    ),
    against=(),
    split="validation",
    seeds=(100,),
    worlds=("miniature",),
)
