"""The arms that several experiments share. A label is the arm's name in a claim's sentence.

`rate` names a learning rate of the scale (experiments/scales.py): stages on rollouts alone have GRPO's, those after SFT
that of GRPO after SFT, whichever method trains them; the other arms have the rate of their method.
"""

from dataclasses import replace

from baselines import (
    adversarial_reward,
    dft,
    grpo,
    grpo_fraction,
    grpo_reward_shaped,
    grpo_unsolved,
    hpt,
    luffy,
    prefix_rft,
    psft,
    relift,
    rl_plus,
    sdft,
    sft,
    sft_plateau,
    srft,
    trapo,
    trsft,
    uniapl,
)
from uniapl.config import Arm

ONLY_DEMONSTRATIONS = {"mu_peak": 1.0, "mu_valley": 1.0}
ONLY_ROLLOUTS = {"mu_peak": 0.0, "mu_valley": 0.0}
NO_TERM = {"lam": 0.0, "prompts_per_step": 1}  # no term reads the rollouts: a step samples as few as it can
ROLLOUTS, AFTER_SFT = "rollouts", "after_sft"  # entries of a scale's `rates`

SFT = Arm("sft", sft, label="SFT")
GRPO = Arm("grpo", grpo, label="GRPO")
SFT_THEN_GRPO = Arm("sft_then_grpo", grpo, start="sft", rate=AFTER_SFT, label="SFT then GRPO")
GRPO_FRACTION = Arm("grpo_fraction", grpo_fraction, rate=ROLLOUTS, label="GRPO paid by the share")
SFT_THEN_GRPO_FRACTION = replace(
    SFT_THEN_GRPO, name="sft_then_grpo_fraction", method=grpo_fraction, label="SFT then GRPO paid by the share"
)
GRPO_UNSOLVED = Arm("grpo_unsolved", grpo_unsolved, rate=ROLLOUTS, label="GRPO on unsolved prompts too")
SFT_THEN_GRPO_UNSOLVED = replace(
    SFT_THEN_GRPO, name="sft_then_grpo_unsolved", method=grpo_unsolved, label="SFT then GRPO on unsolved prompts too"
)
LONGER = {"steps": 1_024}  # of 256 at the public scales
GRPO_LONG = replace(GRPO, name="grpo_long", rate=ROLLOUTS, changes=LONGER, label="GRPO with four times the steps")
SFT_THEN_GRPO_LONG = replace(
    SFT_THEN_GRPO, name="sft_then_grpo_long", changes=LONGER, label="SFT then GRPO with four times the steps"
)
SFT_PLATEAU = Arm("sft_plateau", sft_plateau, label="SFT until its plateau")
SFT_PLATEAU_THEN_GRPO = replace(
    SFT_THEN_GRPO, name="sft_plateau_then_grpo", start="sft_plateau", label="SFT until its plateau, then GRPO"
)
UNIAPL = Arm("uniapl", uniapl, label="UniAPL")
CHORD = Arm("chord", uniapl, changes={"lam": 0.0}, label="CHORD")
HPT = Arm("hpt", hpt, label="HPT")
PREFIX_RFT = Arm("prefix_rft", prefix_rft, label="Prefix-RFT")
RELIFT = Arm("relift", relift, label="ReLIFT")
TRAPO = Arm("trapo", trapo, label="TRAPO")
TRSFT = Arm("trsft", trsft, label="TrSFT")
TRSFT_THEN_GRPO = replace(SFT_THEN_GRPO, name="trsft_then_grpo", start="trsft", label="TrSFT then GRPO")
SHAPED = Arm("grpo_reward_shaped", grpo_reward_shaped, label="GRPO with a shaped reward")

A_SFT = Arm("a_sft", uniapl, changes=ONLY_DEMONSTRATIONS, label="A-SFT")
A_GRPO = Arm("a_grpo", uniapl, changes=ONLY_ROLLOUTS, rate=ROLLOUTS, label="A-GRPO")
SFT_THEN_A_GRPO = Arm(
    "sft_then_a_grpo", uniapl, start="sft", changes=ONLY_ROLLOUTS, rate=AFTER_SFT, label="SFT then A-GRPO"
)
A_SFT_THEN_A_GRPO = replace(SFT_THEN_A_GRPO, name="a_sft_then_a_grpo", start="a_sft", label="A-SFT then A-GRPO")
SFT_CONTROL = Arm("sft_control", uniapl, changes={**ONLY_DEMONSTRATIONS, **NO_TERM}, label="the SFT control")
SFT_CONTROL_THEN_A_GRPO = replace(SFT_THEN_A_GRPO, name="sft_control_then_a_grpo", start="sft_control", label="")

LUFFY = Arm("luffy", luffy, label="LUFFY")
RL_PLUS = Arm("rl_plus", rl_plus, label="RL-PLUS")
SRFT = Arm("srft", srft, label="SRFT")
SRFT_PLUS = Arm("srft_plus", srft, changes={"entropy_sign": 1}, label="SRFT with its code's sign")
DFT = Arm("dft", dft, label="DFT")
PSFT = Arm("psft", psft, label="PSFT")
DFT_THEN_GRPO = replace(SFT_THEN_GRPO, name="dft_then_grpo", start="dft", label="DFT then GRPO")
PSFT_THEN_GRPO = replace(SFT_THEN_GRPO, name="psft_then_grpo", start="psft", label="PSFT then GRPO")
ADVERSARIAL_REWARD = Arm(
    "adversarial_reward", adversarial_reward, label="GRPO with a co-trained discriminator's reward"
)
SDFT = Arm("sdft", sdft, label="SDFT")
GAD = Arm("gad", adversarial_reward, changes={"w_verifier": 0.0, "lam": 1.0}, label="GAD")


def with_demonstrations(name: str, changes: dict) -> tuple[Arm, ...]:
    """SFT, SFT-then-GRPO and UniAPL with other demonstrations, the arms named after them."""
    return (
        replace(SFT, name=f"sft_{name}", changes=changes, label=""),
        replace(SFT_THEN_GRPO, name=f"sft_then_grpo_{name}", start=f"sft_{name}", label=""),
        replace(UNIAPL, name=f"uniapl_{name}", changes=changes, label=""),
    )
