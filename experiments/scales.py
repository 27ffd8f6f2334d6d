"""The scales: the same DAG with other data in it. Seeds, budgets and the settings of every trainer stand here.

Budgets at smoke and tiny are matched: SFT-then-GRPO and UniAPL see the same number of demonstration rows and of
rollouts; SFT alone sees these demonstration rows, GRPO alone these rollouts. Learning rates and weights at tiny are
those that experiments/tuning.py found best on the validation split (results/LOG.md has the table).
"""

from dataclasses import replace

from uniapl.config import PUBLISHED, Arm, Compute, Evaluation, Scale
from uniapl.config.resources import COMPARATORS_H100, QWEN3_4B_H100, QWEN3_600M_H100
from uniapl.data.miniature.world import World
from uniapl.data.public.world import Public
from uniapl.data.teach import Teacher

DISCRIMINATOR = Arm("discriminator", "baselines.miniature_discriminator", start="scratch", once=True)


def pretrained(**changes) -> Arm:
    """The miniature's base: the random policy after reading the corpus."""
    reading = {"text": "corpus", "prompt_loss": True, "schedule": "cosine", "learning_rate": 5e-3}
    return Arm("base", "baselines.sft", start="scratch", once=True, changes={**reading, **changes})


RL_SMOKE = {"steps": 6, "prompts_per_step": 4, "group": 4, "save_every": 2, "probe_every": 3}

SMOKE = Scale(
    name="smoke",
    hardware="2 CPU cores",
    minutes="about 3 minutes",
    seeds=(0,),
    world=World(corpus=2_000, train=64, validation=16, test=24, comparisons=300),
    shared=(pretrained(steps=40, rows_per_step=64), DISCRIMINATOR),
    settings={
        "baselines.sft": {"steps": 6, "rows_per_step": 16, "save_every": 2, "probe_every": 3},
        "baselines.grpo": RL_SMOKE,
        "baselines.grpo_reward_shaped": RL_SMOKE,
        "baselines.luffy": {**RL_SMOKE, "group": 3},
        "baselines.uniapl": {**RL_SMOKE, "demonstrations_per_step": 16, "mu_decay": 6},
        "baselines.miniature_discriminator": {"steps": 10, "schedule": "cosine"},
    },
    evaluation=Evaluation(probe_prompts=16),
)

RL_TINY = {"steps": 100, "prompts_per_step": 10, "schedule": "constant_with_warmup", "probe_every": 25}

TINY = Scale(
    name="tiny",
    hardware="2 CPU cores",
    minutes="about 30 minutes",
    seeds=(0, 1, 2, 3, 4),
    world=World(),
    shared=(pretrained(steps=600, rows_per_step=64, learning_rate=8e-3, save_every=100), DISCRIMINATOR),
    settings={
        "baselines.sft": {"steps": 150, "rows_per_step": 32, "learning_rate": 4e-3, "probe_every": 25},
        "baselines.grpo": {**RL_TINY, "learning_rate": 5e-4},
        "baselines.grpo_reward_shaped": {**RL_TINY, "learning_rate": 5e-4},
        "baselines.luffy": {**RL_TINY, "learning_rate": 5e-4, "group": 7},
        "baselines.uniapl": {**RL_TINY, "learning_rate": 2e-3, "demonstrations_per_step": 48, "mu_decay": 100},
        "baselines.miniature_discriminator": {"steps": 140, "learning_rate": 1e-3, "schedule": "cosine"},
    },
    evaluation=Evaluation(),
)


def fetched(name: str, model: str) -> Arm:
    """A checkpoint of the hub that is not trained here."""
    return Arm(name, "uniapl.train.fetch", start="scratch", once=True, changes={"model": model})


# Rates are ours and untuned: not stated. Of CHORD's and LUFFY's scripts for 7B, 1e-6 for GRPO and 5e-6 to 1e-5 where
# demonstrations are learned. 256 steps of 64 rows are two epochs of the demonstrations.
RL_PAPER = {
    "steps": 256,
    "prompts_per_step": 32,
    "max_new_tokens": 1024,
    "learning_rate": 1e-6,
    "schedule": "constant_with_warmup",
    "save_every": 16,
    "probe_every": 32,
}
SFT_PAPER = {"steps": 256, "rows_per_step": 64, "learning_rate": 1e-5, "save_every": 64, "probe_every": 32}

PAPER = Scale(
    name="paper",
    hardware="8 GPUs of 80 GB",
    minutes="days (python -m uniapl.costs --scale paper)",
    seeds=(0, 1, 2),
    world=Public(train=8_192, validation=256),
    shared=(fetched("base", "Qwen/Qwen3-0.6B"), fetched("discriminator", "internlm/POLAR-1_8B")),
    settings={
        "baselines.sft": SFT_PAPER,
        "baselines.grpo": RL_PAPER,
        "baselines.grpo_reward_shaped": RL_PAPER,
        "baselines.uniapl": {
            **RL_PAPER,
            "learning_rate": 5e-6,
            "demonstrations_per_step": 64,
            "mu_decay": 256,
            "discriminator": "polar",
        },
    },
    evaluation=Evaluation(max_new_tokens=1280, batch=32, probe_prompts=32, sampled=PUBLISHED),
    suite="general",
    keeps=("learning_rate", "prompts_per_step"),
    compute=Compute(
        bf16=True, gradient_checkpointing=True, rows_per_device=8, rollouts="vllm", evaluate="vllm", vllm_memory=0.35
    ),
    resources={**QWEN3_600M_H100, **COMPARATORS_H100},
)

PAPER_4B = replace(
    PAPER,
    name="paper_4b",
    shared=(fetched("base", "Qwen/Qwen3-4B"), fetched("discriminator", "internlm/POLAR-1_8B")),
    compute=replace(PAPER.compute, rows_per_device=4, sharded=True),
    resources={**QWEN3_4B_H100, **COMPARATORS_H100},
)

RL_REHEARSAL = {**RL_SMOKE, "max_new_tokens": 40}

REHEARSAL = replace(
    PAPER,
    name="rehearsal",
    hardware="2 CPU cores, with a folder of miniatures in the place of the hub (tests/support/rehearsal_hub.py)",
    minutes="about 20 minutes",
    seeds=(0,),
    world=Public(
        train=64,
        validation=8,
        teacher=Teacher(tensor_parallel=1, max_model_len=256, max_tokens=56, concurrency=16, token_budget=200_000),
    ),
    settings={
        "baselines.sft": SMOKE.settings["baselines.sft"],
        "baselines.grpo": RL_REHEARSAL,
        "baselines.grpo_reward_shaped": RL_REHEARSAL,
        "baselines.uniapl": {**RL_REHEARSAL, "demonstrations_per_step": 16, "mu_decay": 6, "discriminator": "polar"},
    },
    evaluation=Evaluation(max_new_tokens=48, probe_prompts=8, sampled=PUBLISHED),
    suite="miniature",
    compute=Compute(rows_per_device=8, evaluate="vllm"),
    resources={},
)

SCALES = (SMOKE, TINY, PAPER, PAPER_4B, REHEARSAL)
