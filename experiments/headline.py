"""Does one single-stage objective beat the pipeline, at equal budgets?

The paper's headline in miniature: UniAPL beside SFT, GRPO and SFT-then-GRPO, five seeds, every prompt paired.
Equal between `uniapl` and `sft_then_grpo`: rows, rollouts, prompts, effort (experiments/tuning.py).
Not equal: optimizer steps (the pipeline's SFT steps come on top) and the discriminator's score, which only UniAPL
sees; tables/cost has both. The claims were written after a first run of this experiment had been seen.
"""

from dataclasses import replace

from uniapl.config import Arm, Claim, Experiment


def not_exploited(id: str, arm: str, name: str) -> Claim:
    """The claim that the discriminator, against which the arm was trained, can still tell it from the expert."""
    sentence = f"the discriminator still ranks the expert above {name}'s responses: it is not exploited"
    return Claim(id, sentence, "[R-asks] 5", "auc", arm, None, "above", margin=0.5)


SFT = Arm("sft", "baselines.sft")
GRPO = Arm("grpo", "baselines.grpo")
SFT_THEN_GRPO = Arm("sft_then_grpo", "baselines.grpo", start="sft", changes={"learning_rate": 3e-4})
UNIAPL = Arm("uniapl", "baselines.uniapl")


def with_demonstrations(name: str, changes: dict) -> tuple[Arm, ...]:
    """SFT, SFT-then-GRPO and UniAPL with other demonstrations, the arms named after them."""
    return (
        replace(SFT, name=f"sft_{name}", changes=changes),
        replace(SFT_THEN_GRPO, name=f"sft_then_grpo_{name}", start=f"sft_{name}"),
        replace(UNIAPL, name=f"uniapl_{name}", changes=changes),
    )


EXPERIMENT = Experiment(
    name="headline",
    question="Does the single-stage objective with three terms beat SFT, GRPO and SFT-then-GRPO?",
    expectation="GRPO and SFT both improve on the base, the pipeline on both. UniAPL beats GRPO. Against the pipeline: "
    "open on trained instruction types; better on types never trained on, which SFT forgets.",
    arms=(SFT, GRPO, SFT_THEN_GRPO, UNIAPL),
    against=("grpo", "sft_then_grpo"),
    claims=(
        Claim("headline-1", "UniAPL follows more prompts than GRPO", "[A]", "accuracy", "uniapl", "grpo", "above"),
        Claim(
            "headline-2",
            "UniAPL follows more prompts than SFT then GRPO",
            "[A]",
            "accuracy",
            "uniapl",
            "sft_then_grpo",
            "above",
        ),
        Claim(
            "headline-3",
            "UniAPL transfers to instruction types never trained on better than SFT then GRPO",
            "[K]",
            "accuracy",
            "uniapl",
            "sft_then_grpo",
            "above",
            benchmark="new_types",
        ),
        Claim(
            "headline-4",
            "UniAPL's response lengths are nearer to the expert's than GRPO's",
            "[A]",
            "length",
            "uniapl",
            "grpo",
            "below",
        ),
        Claim(
            "headline-5",
            "UniAPL's response lengths are nearer to the expert's than those of SFT then GRPO",
            "[A]",
            "length",
            "uniapl",
            "sft_then_grpo",
            "below",
        ),
        not_exploited("headline-6", "uniapl", "UniAPL"),
    ),
)
