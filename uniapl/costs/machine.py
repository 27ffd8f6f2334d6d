"""What a job has in a machine's memory at its fullest moment, where there is no GPU, and the refusal of one that cannot
fit: by plan and preflight, and before a training or an evaluation loads a model. The parts are those of fit.py.
"""

import os
from dataclasses import replace
from pathlib import Path

from uniapl.config import Scale
from uniapl.config.runs import Runs
from uniapl.costs import fit, jobs, memory, work
from uniapl.costs.assumptions import DEFAULT, ON_CPU, OnCpu
from uniapl.costs.shapes import SHAPES, Shape

MORE = "take a machine with more memory, or a smaller model"
REMEDIES = {
    **dict.fromkeys((*fit.STATES, "log-probabilities", "the base", "the checkpoint", "the decoder"), MORE),
    "activations": "set compute.rows_per_device, to half of a step's rows or less",
    "head": "lower compute.rows_per_device",
    "KV cache": "lower evaluation.batch",
    "probe's KV cache": "lower evaluation.probe_prompts",
}
CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container: its limit, or `max`


def memory_here() -> int:
    """Bytes of this machine's memory, or of its container's limit where that is lower."""
    limit = CGROUP.read_text(encoding="utf-8").strip() if CGROUP.is_file() else "max"
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(total, int(limit)) if limit.isdigit() else total


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
    cache = {"the decoder": memory.parameters(base), "KV cache": 2 * memory.kv_cache(base, tokens, memory.FLOAT)}
    return max(scoring, resident | cache, key=lambda parts: sum(parts.values()))


def peaks(runs: Runs, experiments: list[str]) -> dict[tuple[str, str], fit.Parts]:
    """Bytes at the fullest moment of each training of a policy, and of the evaluations, by (stage, arm)."""
    arms = sorted({arm for arm, _ in jobs.trainings(runs, experiments)} - set(runs.shared))
    return {("train", arm): training(runs, arm) for arm in arms} | {("generate", "every arm"): generation(runs)}


def refusal(what: str, parts: fit.Parts, has: float) -> str | None:
    """One line where a job needs more than the machine's memory, with the setting that changes the largest part."""
    return fit.refusal(what, parts, has, "this machine's", REMEDIES)


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
