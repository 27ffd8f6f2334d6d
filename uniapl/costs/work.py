"""What the jobs of a scale take: seconds of each training and evaluation, bytes on disk."""

import math
from statistics import NormalDist

from uniapl.config import Evaluation, Run, Scale
from uniapl.costs import memory
from uniapl.costs.assumptions import Assumptions
from uniapl.costs.fit import per_step, reads_discriminator
from uniapl.costs.gpus import Gpu
from uniapl.costs.shapes import Shape, shape_of
from uniapl.costs.time import decode, decode_steps, forward, read, training
from uniapl.data.public.world import Public


def root(run: Run) -> Run:
    """The run whose checkpoint this one descends from."""
    return root(run.start) if run.start else run


def policy(run: Run) -> Shape:
    """The shape of the model that the run trains, or is."""
    return shape_of(root(run).settings.model)


def base(scale: Scale) -> Shape:
    """The shape of the scale's fetched base."""
    return next(shape_of(arm.changes["model"]) for arm in scale.shared if arm.name == "base")


def judge_of(scale: Scale) -> Shape | None:
    """The shape of the scale's fetched discriminator; None where it has none."""
    return shape_of(scale.discriminator.changes["model"]) if scale.discriminator else None


def scored_tokens(rollouts: int, group: int, a: Assumptions) -> float:
    """Tokens that a discriminator reads: prompt, reference and prompt once per group, each response once."""
    return rollouts * a.response_tokens + rollouts / group * (2 * a.prompt_tokens + a.teacher_tokens)


def scoring(shape: Shape, rollouts: int, group: int, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of the discriminator in one step."""
    tokens = scored_tokens(rollouts, group, a)
    length = 2 * a.prompt_tokens + a.teacher_tokens + a.response_tokens
    return forward(shape, tokens, length, gpu.bf16, a)


def padded(mean: float, rows: float, longest: float, a: Assumptions) -> float:
    """Tokens of the longest of `rows` texts, to which all are padded: lengths are log-normal, and cut at `longest`.

    The expected largest of n is near the quantile n / (n + 1) (Blom 1958); never below the mean.
    """
    if rows <= 1:
        return mean
    quantile = NormalDist(math.log(mean) - a.spread**2 / 2, a.spread).inv_cdf(rows / (rows + 1))
    return min(longest, max(mean, math.exp(quantile)))


def read_per_step(run: Run, world: Public, a: Assumptions, gpus: int) -> dict[str, tuple[float, float]]:
    """(tokens, tokens per row) that one of `gpus` GPUs reads in a step: of `rollouts`, of `demonstrations`.

    TRL pads a process's whole generation batch to its longest prompt and response, and so a micro-batch of
    demonstrations. The engine reads real tokens, and a group's prompt once (docs/engine.md). SFT sorts by length.
    """
    rollouts, shown = (rows / gpus for rows in per_step(run))
    response, taught = a.response_tokens, a.prompt_tokens + a.teacher_tokens
    found = {"rollouts": (0.0, 0.0), "demonstrations": (shown * taught, taught)}
    if not rollouts:
        return found
    group, limit = run.settings.group, run.settings.max_new_tokens
    if run.compute.engine:
        tokens = rollouts * response + rollouts / group * a.prompt_tokens
        return found | {"rollouts": (tokens, a.prompt_tokens + response)}
    row = padded(a.prompt_tokens, rollouts / group, world.prompt_tokens, a) + padded(response, rollouts, limit, a)
    at_once = shown * (run.compute.rows_per_device or rollouts) / rollouts
    longest = world.prompt_tokens + world.teacher.max_tokens
    taught = padded(taught, at_once, longest, a)
    return {"rollouts": (rollouts * row, row), "demonstrations": (shown * taught, taught)}


def step(run: Run, judge: Shape | None, gpu: Gpu, a: Assumptions, gpus: int) -> dict[str, float]:
    """Seconds of one optimizer step over `gpus` GPUs that share its rows equally, by what they are spent on.

    With vLLM, TRL computes the rollouts' log-probabilities once more, for its correction by importance sampling; the
    engine takes them from the loss's own pass.
    """
    shape, (rollouts, _), compute = policy(run), per_step(run), run.compute
    read = read_per_step(run, run.world, a, gpus)
    parts = {
        "other": a.step_seconds,
        "train": sum(training(shape, *tokens, compute.gradient_checkpointing, gpu, a) for tokens in read.values()),
    }
    if rollouts:
        per_gpu = rollouts / gpus
        longest = run.settings.max_new_tokens
        parts["generate"] = decode(shape, per_gpu, a.prompt_tokens, a.response_tokens, longest, gpu, a)
        if not compute.engine:
            parts["log-probabilities"] = forward(shape, *read["rollouts"], gpu.bf16, a)
    if rollouts and judge and reads_discriminator(run):
        parts["discriminate"] = scoring(judge, rollouts, run.settings.group, gpu, a) / gpus
    return parts


def probe(run: Run, evaluation: Evaluation, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of one measurement: transformers generates, in float32, and policy and base score every response."""
    shape, rows = policy(run), evaluation.probe_prompts
    steps = decode_steps(rows, a.response_tokens, evaluation.max_new_tokens, rows)
    reading = 2 * steps * read(shape, rows) / gpu.bandwidth  # float32 is twice bfloat16
    tokens = rows * (a.prompt_tokens + a.response_tokens)
    scored = 2 * forward(shape, tokens, a.prompt_tokens + a.response_tokens, gpu.float32, a)
    return reading + steps * a.generate_overhead + scored


def train_seconds(run: Run, scale: Scale, gpu: Gpu, a: Assumptions, gpus: int) -> float:
    """Seconds of a training."""
    s = run.settings
    probes = 0 if run.compute.sharded else 1 + s.steps // s.probe_every
    each = sum(step(run, judge_of(scale), gpu, a, gpus).values())
    return a.start_seconds + s.steps * each + probes * probe(run, scale.evaluation, gpu, a)


def generate_seconds(run: Run, scale: Scale, split: str, prompts: int, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of one checkpoint's evaluation: every decoding of the split, then, where the policy's own distribution is
    among them, two texts under two models in float32."""
    shape, evaluation = policy(run), scale.evaluation
    decoding = decode(shape, prompts, a.prompt_tokens, a.response_tokens, evaluation.max_new_tokens, gpu, a)
    row = a.prompt_tokens + a.response_tokens
    scored = sum(2 * forward(model, prompts * row, row, gpu.float32, a) for model in (shape, base(scale)))
    drawn = evaluation.drawn(split)
    return a.start_seconds + len(drawn) * decoding + (scored if evaluation.measured in drawn else 0)


def chain(run: Run, seconds: dict[tuple[str, int], float]) -> float:
    """Seconds from the first training to the end of this one, one after another."""
    return seconds.get((run.arm, run.seed), 0.0) + (chain(run.start, seconds) if run.start else 0.0)


def checkpoint(shape: Shape) -> int:
    """Bytes of a trained checkpoint: float32."""
    return memory.parameters(shape)


def resumable(shape: Shape, *, sharded: bool = False) -> int:
    """Bytes of a training that runs: three checkpoints, the third being written, with AdamW's state.

    FSDP's have the weights twice: model.safetensors and pytorch_model_fsdp.bin (ours: measured on a miniature).
    """
    return 3 * ((1 + sharded) * memory.parameters(shape) + memory.optimizer(shape))


def download(shape: Shape) -> int:
    """Bytes of a model on the hub: 2 per parameter; a tied head is stored once more, as Qwen's files are."""
    stored = 0 if shape.scalar or not shape.tied else shape.embedding
    return memory.HALF * (shape.parameters + stored)
