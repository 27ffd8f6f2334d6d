"""Which learning rate for which mixture?  `snakemake tuning`: three candidates each, on the validation split.

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

EXPERIMENT = Experiment(
    name="tuning_mixtures",
    question="Which learning rate gives each mixture, and the pipeline's first stage, its best validation accuracy?",
    expectation="About 1e-3 for methods that mix; 2e-3 and a constant schedule for SFT, as UniAPL has.",
    arms=(
        Arm("sft_constant_lr1", sft, changes={"learning_rate": 1e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_constant_lr2", sft, changes={"learning_rate": 2e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_constant_lr3", sft, changes={"learning_rate": 4e-3, "schedule": "constant_with_warmup"}),
        Arm("sft_lr4", sft, changes={"learning_rate": 1.6e-2}),
        *(
            arm
            for method in (luffy, hpt, prefix_rft, relift, trapo, srft, rl_plus, adversarial_reward, sdft)
            for arm in candidates(method.__name__.split(".")[-1], method, ROLLOUTS)
        ),
        *candidates("chord", uniapl, (1e-3, 2e-3, 4e-3), lam=0.0),
        *(
            arm
            for method in (dft, psft, trsft)
            for arm in candidates(method.__name__.split(".")[-1], method, FIRST_STAGE)
        ),
    ),
    against=(),
    split="validation",
    seeds=(100,),
    worlds=("miniature",),
)
