"""Does any mixture of demonstrations and reward beat a correct, tuned SFT then GRPO?  One row for each method.

Every mixture is held against the pipeline: on the instruction types of training, on types and on topics that no
training prompt has. arXiv 2604.23747 and 2512.11470 say that published mixtures were compared with a weakened SFT, and
that the corrected pipeline wins. Written before the first run; each method's learning rate is chosen by
experiments/tuning_mixtures.py. Holm's adjustment is over the claims of one benchmark.
"""

from experiments.arms import (
    ADVERSARIAL_REWARD,
    CHORD,
    DFT,
    DFT_THEN_GRPO,
    GRPO,
    HPT,
    LUFFY,
    PREFIX_RFT,
    PSFT,
    PSFT_THEN_GRPO,
    RELIFT,
    RL_PLUS,
    SDFT,
    SFT,
    SFT_PLATEAU,
    SFT_PLATEAU_THEN_GRPO,
    SFT_THEN_GRPO,
    SRFT,
    SRFT_PLUS,
    TRAPO,
    TRSFT,
    TRSFT_THEN_GRPO,
    UNIAPL,
)
from experiments.claims import RATE, above_on
from uniapl.config import Experiment

SINGLE_STAGE = (
    UNIAPL,
    CHORD,
    LUFFY,
    HPT,
    PREFIX_RFT,
    RELIFT,
    TRAPO,
    SRFT,
    SRFT_PLUS,
    RL_PLUS,
    ADVERSARIAL_REWARD,
)
PIPELINES = (SFT_PLATEAU_THEN_GRPO, DFT_THEN_GRPO, PSFT_THEN_GRPO, TRSFT_THEN_GRPO)
FIRST_STAGES = (SFT_PLATEAU, DFT, PSFT, TRSFT)
BENCHMARKS = ("trained", "new_types", "new_topics")

OWN = (*RATE, "loss_type", "group", "max_grad_norm")  # each method's own, with its source in baselines/
OF_STAGES = ("start.learning_rate", "start.schedule")

EXPERIMENT = Experiment(
    name="mixtures",
    question="Does any mixture of demonstrations and reward, or another pipeline, beat the tuned SFT then GRPO?",
    expectation="None on trained types by five points or more. Methods that keep demonstrations among rollouts (LUFFY, "
    "Prefix-RFT, RL-PLUS) forget held-out types less than the pipeline does.",
    arms=(SFT, GRPO, SFT_THEN_GRPO, *SINGLE_STAGE, SDFT, *FIRST_STAGES, *PIPELINES),
    against=("sft_then_grpo",),
    worlds=("miniature",),
    extended=True,
    claims=tuple(
        above_on(benchmark, f"mixtures-{arm.name}-{benchmark}", arm, SFT_THEN_GRPO, "ours", differs)
        for benchmark in BENCHMARKS
        for arms, differs in ((SINGLE_STAGE, OWN), ((SDFT,), RATE), (PIPELINES, OF_STAGES))
        for arm in arms
    ),
)
