"""One scale: prompts in files, a policy in a folder, two methods. Paths are as seen from this folder."""

from baselines import dr_grpo, grpo
from uniapl.config import Arm, Evaluation, Scale
from uniapl.data.files.world import Files
from uniapl.train import fetch

ROLLOUTS = {
    "steps": 6,
    "learning_rate": 1e-3,
    "warmup": 2,
    "prompts_per_step": 4,
    "group": 4,
    "max_new_tokens": 48,
    "save_every": 2,
    "probe_every": 3,
}

MINE = Scale(
    name="mine",
    hardware="2 CPU cores",
    minutes="about 2 minutes",
    seeds=(0,),
    world=Files("prompts/train.jsonl", "prompts/validation.jsonl", "prompts/test.jsonl"),
    shared=(Arm("base", fetch, start="scratch", once=True, changes={"model": "policy"}),),
    settings={fetch: {"context": 256}, grpo: ROLLOUTS, dr_grpo: ROLLOUTS},
    evaluation=Evaluation(max_new_tokens=48, batch=64, probe_prompts=8),
    suite="none",
)

SCALES = (MINE,)
