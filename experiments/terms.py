"""What does each term do?  Every corner of the objective: preference, demonstrations, adversarial, on and off.

Beside the corners two other ways to give the demonstrations: of the step's own prompts, and as LUFFY does, as
off-policy members of the group. Demonstrations alone are there twice: `sft_control` has the rate, schedule and rows of
the other corners that learn them, `sft` its own. The corners without demonstrations have GRPO's rate.
"""

from baselines import uniapl
from experiments.arms import A_GRPO, A_SFT, CHORD, GRPO, LUFFY, ROLLOUTS, SFT, SFT_CONTROL, UNIAPL
from uniapl.config import Arm, Experiment

EXPERIMENT = Experiment(
    name="terms",
    question="Which of the three terms does the work, alone and together?",
    expectation="Demonstrations carry accuracy on trained types and cost held-out types; the adversarial term alone "
    "changes style and not obedience.",
    arms=(
        SFT,
        SFT_CONTROL,
        GRPO,
        Arm("adv_only", uniapl, changes={"w_pref": 0.0, "w_demo": 0.0}, rate=ROLLOUTS),
        A_SFT,
        A_GRPO,
        CHORD,
        UNIAPL,
        Arm("uniapl_own_prompts", uniapl, changes={"own_prompts": True}),
        LUFFY,
    ),
    against=("uniapl",),
    extended=True,
    worlds=("miniature",),
)
