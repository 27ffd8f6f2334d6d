"""The scales: the same DAG with other data in it. Seeds, budgets and the settings of every method stand here.

Every rate, number of steps, batch and length is stated for every scale: a method's own defaults have none.
`rates` are learning rates by role: of stages on rollouts alone, and of those after SFT (experiments/arms.py).

Budgets at smoke and tiny are matched: SFT-then-GRPO and UniAPL see the same number of demonstration rows and of
rollouts; SFT alone sees these demonstration rows, GRPO alone these rollouts. Learning rates and weights at tiny are
those that experiments/tuning.py and tuning_mixtures.py found best on the validation split (table in results/LOG.md).
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
    layers_discriminator,
    luffy,
    miniature_discriminator,
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
from uniapl.config import PUBLISHED, Arm, Compute, Evaluation, Scale
from uniapl.config.resources import (
    COMPARATORS_H100,
    QWEN3_4B_H100,
    QWEN3_600M_H100,
    Resources,
    cores_here,
    side_by_side,
)
from uniapl.data.everyday.world import World as Everyday
from uniapl.data.miniature.world import World
from uniapl.data.public.world import Public
from uniapl.data.teach import Teacher
from uniapl.models.gguf import SMOLLM2
from uniapl.train import fetch

DISCRIMINATOR = Arm("discriminator", miniature_discriminator, start="scratch")


def pretrained(**changes) -> Arm:
    """The miniature's base: the random policy after reading the corpus."""
    reading = {"text": "corpus", "prompt_loss": True, "schedule": "cosine", "learning_rate": 5e-3}
    return Arm("base", sft, start="scratch", changes={**reading, **changes})


MINIATURE = {"max_new_tokens": 48, "batch": 256}  # its expert writes 47 tokens at most
SHORT = {"learning_rate": 1e-3, "warmup": 10}
OPTIMIZATION_SMOKE = {**SHORT, "steps": 6, "save_every": 2, "probe_every": 3}
SFT_SMOKE = {**OPTIMIZATION_SMOKE, "rows_per_step": 16}
RL_SMOKE = {**OPTIMIZATION_SMOKE, "prompts_per_step": 4, "group": 4, "max_new_tokens": 48}
UNIAPL_SMOKE = {**RL_SMOKE, "demonstrations_per_step": 16, "mu_decay": 6, "discriminator": "miniature"}
PAIRS = {**SHORT, "schedule": "cosine", "pairs_per_step": 32, "response_tokens": 56}

SMOKE = Scale(
    name="smoke",
    hardware="2 CPU cores",
    minutes="about 2 minutes",
    seeds=(0,),
    world=World(corpus=2_000, train=64, validation=16, test=24, comparisons=300),
    shared=(pretrained(steps=40, rows_per_step=64), DISCRIMINATOR),
    settings={
        sft: SFT_SMOKE,
        sft_plateau: {**SFT_SMOKE, "evaluate_every": 2},
        trsft: SFT_SMOKE,
        grpo: RL_SMOKE,
        grpo_reward_shaped: RL_SMOKE,
        luffy: {**RL_SMOKE, "group": 3},
        hpt: RL_SMOKE,
        prefix_rft: {**RL_SMOKE, "prefix_decay": 6},
        relift: {**RL_SMOKE, "buffer": 4, "sft_learning_rate": 1e-3},
        trapo: {**RL_SMOKE, "prompts_per_step": 2, "group": 8},
        rl_plus: {**RL_SMOKE, "group": 3},
        srft: {**RL_SMOKE, "group": 3},
        adversarial_reward: RL_SMOKE,
        sdft: RL_SMOKE,
        dft: SFT_SMOKE,
        psft: {**SFT_SMOKE, "mini_batches": 2},
        uniapl: UNIAPL_SMOKE,
        miniature_discriminator: {**PAIRS, "steps": 10},
    },
    rates={"rollouts": 5e-4, "after_sft": 3e-4},
    unequal=(
        "learning_rate",
        "prompts_per_step",
    ),  # six steps of one seed show that the parts fit, and nothing about the arms
    evaluation=Evaluation(**MINIATURE, probe_prompts=16),
    extended=("lambda_sweep", "reward_shaping", "staged", "unified"),  # the headline runs every rule once
    compute=Compute(engine=True),
)

RL_TINY = {
    "steps": 100,
    "learning_rate": 5e-4,
    "warmup": 10,
    "schedule": "constant_with_warmup",
    "prompts_per_step": 10,
    "max_new_tokens": 48,
    "probe_every": 25,
}
SFT_TINY = {"steps": 150, "learning_rate": 4e-3, "warmup": 10, "rows_per_step": 32, "probe_every": 25}
LEARNS_TINY = {"learning_rate": 1e-3, "demonstrations_per_step": 48, "mu_decay": 100, "discriminator": "miniature"}

TINY = Scale(
    name="tiny",
    hardware="2 CPU cores",
    minutes="about 45 minutes (estimated)",
    seeds=(0, 1, 2, 3, 4),
    world=World(),
    shared=(pretrained(steps=600, rows_per_step=64, learning_rate=8e-3, save_every=100), DISCRIMINATOR),
    settings={
        sft: SFT_TINY,
        sft_plateau: {**SFT_TINY, "schedule": "constant_with_warmup"},  # a decay to 0 would make a plateau of its own
        trsft: {**SFT_TINY, "learning_rate": 2e-3},
        grpo: RL_TINY,
        grpo_reward_shaped: RL_TINY,
        luffy: {**RL_TINY, "group": 7, "learning_rate": 1e-3},
        hpt: {**RL_TINY, "learning_rate": 2e-3},
        prefix_rft: {**RL_TINY, "prefix_decay": 100},
        relift: {**RL_TINY, "buffer": 32, "sft_learning_rate": 5e-4, "learning_rate": 1e-3},
        trapo: {**RL_TINY, "learning_rate": 1e-3},
        rl_plus: {**RL_TINY, "group": 7, "learning_rate": 2e-3},
        srft: {**RL_TINY, "group": 7, "learning_rate": 2e-3},
        adversarial_reward: {**RL_TINY, "learning_rate": 2.5e-4},
        sdft: {**RL_TINY, "learning_rate": 1e-3},
        dft: {**SFT_TINY, "learning_rate": 2e-3},
        psft: {**SFT_TINY, "learning_rate": 2e-3},
        uniapl: {**RL_TINY, **LEARNS_TINY},
        miniature_discriminator: {**PAIRS, "steps": 140},
    },
    rates={"rollouts": 5e-4, "after_sft": 3e-4},
    evaluation=Evaluation(**MINIATURE, probe_prompts=64),
    compute=Compute(engine=True),
)


def fetched(name: str, model: str) -> Arm:
    """A checkpoint of the hub that is not trained here."""
    return Arm(name, fetch, start="scratch", once=True, changes={"model": model})


RL_SMALL = {
    "steps": 20,
    "prompts_per_step": 8,
    "group": 6,
    "max_new_tokens": 192,
    "learning_rate": 4e-5,
    "warmup": 2,
    "schedule": "constant_with_warmup",
    "save_every": 5,
    "probe_every": 10,
}
SFT_SMALL = {
    "steps": 20,
    "rows_per_step": 16,
    "learning_rate": 2e-5,
    "warmup": 2,
    "schedule": "cosine",
    "save_every": 5,
    "probe_every": 10,
}
LAYERS_SMALL = {
    "steps": 60,
    "pairs_per_step": 16,
    "response_tokens": 192,
    "learning_rate": 1e-4,
    "warmup": 6,
    "schedule": "cosine",
    "save_every": 20,
}
SIDE_BY_SIDE = dict.fromkeys(("train", "generate", "suite"), side_by_side(memory_gb=11, minutes=480))
ALONE = dict.fromkeys(("teach", "data"), Resources(memory_gb=8, minutes=480, cores=cores_here()))

SMALL = Scale(
    name="small",
    hardware="2 CPU cores",
    minutes="hours (uniapl plan --scale small)",
    seeds=(0, 1, 2),
    world=Everyday(train=640),
    shared=(fetched("base", SMOLLM2), Arm("discriminator", layers_discriminator, once=True)),
    settings={
        sft: SFT_SMALL,
        grpo: RL_SMALL,
        uniapl: {
            **RL_SMALL,
            "learning_rate": 4e-5,
            "demonstrations_per_step": 16,
            "mu_decay": 20,
            "discriminator": "layers",
        },
        layers_discriminator: LAYERS_SMALL,
        fetch: {"context": 2048},
    },
    rates={"rollouts": 4e-5, "after_sft": 4e-5},
    evaluation=Evaluation(max_new_tokens=512, batch=80, probe_prompts=24, measured_prompts=128, each_seed=True),
    suite="everyday",
    general=("base", "sft", "grpo", "sft_then_grpo", "uniapl"),
    most_seeds={"unified": 2},
    compute=Compute(engine=True, bf16=None, rows_per_device=12),
    resources={**SIDE_BY_SIDE, **ALONE},
)

# Rates are ours and untuned: not stated. Of CHORD's and LUFFY's scripts for 7B, 1e-6 for GRPO and 5e-6 to 1e-5 where
# demonstrations are learned. 256 steps of 64 rows are two epochs of the demonstrations.
RL_PAPER = {
    "steps": 256,
    "prompts_per_step": 32,
    "max_new_tokens": 1024,
    "learning_rate": 1e-6,
    "warmup": 10,
    "schedule": "constant_with_warmup",
    "save_every": 16,
    "probe_every": 32,
}
SFT_PAPER = {
    "steps": 256,
    "rows_per_step": 64,
    "learning_rate": 1e-5,
    "warmup": 10,
    "save_every": 64,
    "probe_every": 32,
}
LEARNS_PAPER = {"learning_rate": 5e-6, "demonstrations_per_step": 64, "mu_decay": 256, "discriminator": "polar"}
FETCHED = {"context": 4096}

PAPER = Scale(
    name="paper",
    hardware="8 GPUs of 80 GB",
    minutes="days (python -m uniapl.costs --scale paper)",
    seeds=(0, 1, 2),
    world=Public(train=8_192, validation=256),
    shared=(fetched("base", "Qwen/Qwen3-0.6B"), fetched("discriminator", "internlm/POLAR-1_8B")),
    settings={
        sft: SFT_PAPER,
        grpo: RL_PAPER,
        grpo_fraction: RL_PAPER,
        grpo_unsolved: RL_PAPER,
        grpo_reward_shaped: RL_PAPER,
        uniapl: {**RL_PAPER, **LEARNS_PAPER},
        fetch: FETCHED,
    },
    rates={"rollouts": 1e-6, "after_sft": 1e-6},
    evaluation=Evaluation(max_new_tokens=1280, batch=32, probe_prompts=32, sampled=PUBLISHED),
    suite="general",
    fixed_settings=("prompts_per_step",),
    compute=Compute(
        bf16=True, gradient_checkpointing=True, rows_per_device=8, rollouts="vllm", evaluate="vllm", vllm_memory=0.35
    ),
    resources={**QWEN3_600M_H100, **COMPARATORS_H100},
)

# A checkpoint of 4B is 67 GB, which one process writes while all GPUs wait: four of them, not sixteen
SELDOM = {method: {**values, "save_every": 64} for method, values in PAPER.settings.items() if method is not fetch}

PAPER_4B = replace(
    PAPER,
    name="paper_4b",
    settings={**PAPER.settings, **SELDOM},
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
        sft: SFT_SMOKE,
        grpo: RL_REHEARSAL,
        grpo_fraction: RL_REHEARSAL,
        grpo_unsolved: RL_REHEARSAL,
        grpo_reward_shaped: RL_REHEARSAL,
        uniapl: {**UNIAPL_SMOKE, **RL_REHEARSAL, "discriminator": "polar"},
        fetch: FETCHED,
    },
    rates={"rollouts": 1e-3, "after_sft": 1e-3},
    evaluation=Evaluation(**MINIATURE, probe_prompts=8, sampled=PUBLISHED),
    suite="miniature",
    compute=Compute(rows_per_device=8, evaluate="vllm"),
    resources={},
)

SCALES = (SMOKE, TINY, SMALL, PAPER, PAPER_4B, REHEARSAL)
