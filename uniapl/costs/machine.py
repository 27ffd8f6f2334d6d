"""What a job has in a machine's memory at its fullest moment, where there is no GPU, and the refusal of one that cannot
fit: by plan and preflight, and before a training or an evaluation loads a model. The parts are those of fit.py.
"""

from dataclasses import replace

from uniapl.config import Scale
from uniapl.config.resources import cores_here, memory_here
from uniapl.config.runs import Runs
from uniapl.costs import fit, jobs, memory, work
from uniapl.costs.assumptions import DEFAULT, ON_CPU, OnCpu
from uniapl.costs.shapes import SHAPES, Shape

MORE = "take a machine with more memory, or a smaller model"
REMEDIES = {
    **dict.fromkeys((*fit.STATES, "log-probabilities", "the base", "the checkpoint", "the decoder"), MORE),
    "activations": "set compute.rows_per_device, or set a lower one",
    "head": "lower compute.rows_per_device",
    "KV cache": "lower evaluation.batch",
    "probe's KV cache": "lower evaluation.probe_prompts",
}
STAY = 7 / 8  # at most this share of a batch stays when ended rows leave: 1 - LEAVE of uniapl/models/sampler.py


def at_once(runs: Runs) -> int:
    """Trainings, or evaluations, that run at a time on this machine: each has the cores that it asks for."""
    return max(1, cores_here() // runs.needs("train").cores)


def model_of(scale: Scale) -> str | None:
    """The model that the scale's base is; None where it is trained."""
    return next((arm.changes.get("model") for arm in scale.shared if arm.name == "base"), None)


def planned(scale: Scale) -> bool:
    """Whether there is arithmetic for this scale on a CPU: world everyday, no GPUs asked for, a base of known shape."""
    asked = any(needs.gpus for needs in scale.resources.values())
    return scale.kind == "everyday" and not asked and model_of(scale) in SHAPES


def judge_of(runs: Runs) -> Shape | None:
    """The shape of the scale's frozen discriminator: the base's first layers under a scalar head."""
    arm = runs.scale.discriminator
    if arm is None:
        return None
    return replace(work.base(runs.scale), layers=runs.run(arm.name, 0).settings.layers, scalar=True, tied=False)


def training(runs: Runs, arm: str, c: OnCpu = ON_CPU) -> fit.Parts:
    """Bytes at the fullest moment of a training, in float32, every row as long as it may be."""
    scale = runs.scale
    limit, longest = scale.world.base.max_tokens, scale.evaluation.max_new_tokens
    return fit.training(
        runs.run(arm, 0),
        work.base(scale),
        judge_of(runs),
        scale.evaluation,
        devices=1,
        gpu=0,
        lengths=fit.Lengths(c.longest_prompt, c.longest_prompt, limit, longest),
        a=replace(DEFAULT, reserve=c.reserve),
    )


def generation(runs: Runs, c: OnCpu = ON_CPU) -> fit.Parts:
    """Bytes at the fullest moment of an evaluation: the engine's decoder, or log-probabilities under two models.

    The decoder has matrices of its own beside the checkpoint's. Where rows leave, old and new cache are there at once.
    """
    scale = runs.scale
    base, most, evaluation = work.base(scale), scale.evaluation.max_new_tokens, scale.evaluation
    lengths, a = fit.Lengths(0, c.longest_asked, 0, most), replace(DEFAULT, reserve=c.reserve)
    scoring = fit.generation(base, base, scale.compute, gpu=0, lengths=lengths, a=a)
    resident = {name: scoring[name] for name in ("the base", "the checkpoint", "reserve")}
    tokens = evaluation.batch * (c.longest_asked + most)
    cache = {
        "the decoder": memory.parameters(base),
        "KV cache": int((1 + STAY) * memory.kv_cache(base, tokens, memory.FLOAT)),
    }
    return max(scoring, resident | cache, key=lambda parts: sum(parts.values()))


def peaks(runs: Runs, experiments: list[str]) -> dict[tuple[str, str], fit.Parts]:
    """Bytes at the fullest moment of each training of a policy, and of the evaluations, by (stage, arm)."""
    arms = sorted({arm for arm, _ in jobs.trainings(runs, experiments)} - set(runs.shared))
    return {("train", arm): training(runs, arm) for arm in arms} | {("generate", "every arm"): generation(runs)}


def refusal(what: str, parts: fit.Parts, has: float, jobs: int = 1) -> str | None:
    """One line where so many jobs at a time need more than the machine's memory, with the setting that changes the
    largest part."""
    what = f"{what}, {jobs} at a time," if jobs > 1 else what
    return fit.refusal(what, {name: jobs * size for name, size in parts.items()}, has, "this machine's", REMEDIES)


def check(scale: Scale, arm: str | None = None) -> None:
    """Raise UserError, before a model is loaded, where the training of `arm`, or without one an evaluation, cannot fit
    this machine. Nothing where there is no arithmetic, and where a GPU holds the models."""
    if not planned(scale) or fit.gpu_memory() is not None:
        return
    runs = Runs(scale)
    if arm in runs.shared:
        return
    what, parts = (f"arm {arm}", training(runs, arm)) if arm else ("an evaluation", generation(runs))
    fit.check(refusal(what, parts, memory_here()))
