"""What the jobs of a scale take: seconds of each training and evaluation, bytes on disk."""

from uniapl.config import Evaluation, Run, Scale
from uniapl.costs import memory
from uniapl.costs.assumptions import Assumptions
from uniapl.costs.fit import per_step, reads_discriminator
from uniapl.costs.gpus import Gpu
from uniapl.costs.shapes import Shape, shape_of
from uniapl.costs.time import decode, decode_steps, forward, read, training


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


def scoring(shape: Shape, rollouts: int, group: int, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of the discriminator in one step: prompt, reference and prompt once per group, each response once."""
    tokens = rollouts * a.response_tokens + rollouts / group * (2 * a.prompt_tokens + a.teacher_tokens)
    length = 2 * a.prompt_tokens + a.teacher_tokens + a.response_tokens
    return forward(shape, tokens, length, gpu.bf16, a)


def step(run: Run, judge: Shape | None, gpu: Gpu, a: Assumptions, gpus: int) -> dict[str, float]:
    """Seconds of one optimizer step over `gpus` GPUs that share its rows equally, by what they are spent on.

    With vLLM, TRL computes the rollouts' log-probabilities once more, for its correction by importance sampling.
    """
    shape, (rollouts, demonstrations), compute = policy(run), per_step(run), run.compute
    row = a.prompt_tokens + a.response_tokens
    taught = a.prompt_tokens + a.teacher_tokens
    backward = [(rollouts, row), (demonstrations, taught)]
    parts = {
        "other": a.step_seconds,
        "train": sum(training(shape, n / gpus * t, t, compute.gradient_checkpointing, gpu, a) for n, t in backward),
    }
    if rollouts:
        per_gpu = rollouts / gpus
        longest = run.settings.max_new_tokens
        parts["generate"] = decode(shape, per_gpu, a.prompt_tokens, a.response_tokens, longest, gpu, a)
        parts["log-probabilities"] = forward(shape, per_gpu * row, row, gpu.bf16, a)
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


def generate_seconds(run: Run, scale: Scale, prompts: int, gpu: Gpu, a: Assumptions) -> float:
    """Seconds of one checkpoint's evaluation: greedy and sampled, then two texts under two models in float32."""
    shape, evaluation = policy(run), scale.evaluation
    decoding = decode(shape, prompts, a.prompt_tokens, a.response_tokens, evaluation.max_new_tokens, gpu, a)
    row = a.prompt_tokens + a.response_tokens
    scored = sum(2 * forward(model, prompts * row, row, gpu.float32, a) for model in (shape, base(scale)))
    return a.start_seconds + 2 * decoding + scored


def chain(run: Run, seconds: dict[tuple[str, int], float]) -> float:
    """Seconds from the first training to the end of this one, one after another."""
    return seconds.get((run.arm, run.seed), 0.0) + (chain(run.start, seconds) if run.start else 0.0)


def checkpoint(shape: Shape) -> int:
    """Bytes of a trained checkpoint: float32."""
    return memory.parameters(shape)


def resume_bytes(shape: Shape) -> int:
    """Bytes of a training that runs: three checkpoints, the third being written, with AdamW's state."""
    return 3 * (memory.parameters(shape) + memory.optimizer(shape))


def download(shape: Shape) -> int:
    """Bytes of a model on the hub: 2 per parameter; a tied head is stored once more, as Qwen's files are."""
    stored = 0 if shape.scalar or not shape.tied else shape.embedding
    return memory.HALF * (shape.parameters + stored)
