"""What a job has on a GPU at its fullest moment, part by part, and the refusal of one that cannot fit.

A training and an evaluation are checked before they load a model (`check_training`, `check_generation`); on a CPU
nothing is. A fetch loads none.
"""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from uniapl.config import Compute, Evaluation, Run
from uniapl.config.job import Job
from uniapl.config.method import CONTROLS, scored_by
from uniapl.costs import memory
from uniapl.costs.assumptions import DEFAULT, Assumptions
from uniapl.costs.shapes import Shape, read_shape
from uniapl.errors import UserError
from uniapl.jsonl import read_jsonl
from uniapl.models import harness
from uniapl.models.checkpoints import load_tokenizer
from uniapl.models.devices import batch_sizes, processes

LOGPROB_ROWS = 64  # rows at a time of uniapl/models/logprobs.py
COTRAINED_LAYERS = 2  # uniapl/discriminators/cotrained.py
LOGPROB_LOGITS = 2 * 64_000_000  # uniapl/models/logprobs.py: logits and their log-softmax

IN_FLOAT32 = "64 responses are read at a time, by base and checkpoint in float32 on one GPU"
STATES = ("parameters", "gradients", "AdamW", "DDP buckets", "gathered")
REMEDIES = {  # part: what makes it smaller, in experiments/scales.py
    "activations": "lower compute.rows_per_device, or set compute.gradient_checkpointing=True",
    "head": "lower compute.rows_per_device",
    "vLLM": "lower compute.vllm_memory, or serve rollouts elsewhere (--config rollouts=URL)",
    "discriminators": "serve the discriminator elsewhere (--config polar=URL)",
    "probe's KV cache": "lower evaluation.probe_prompts",
    "log-probabilities": f"choose a GPU with more memory: {IN_FLOAT32}",
    "the base": f"choose a GPU with more memory: {IN_FLOAT32}",
    "the checkpoint": f"choose a GPU with more memory, or leave the arm out of its experiment: {IN_FLOAT32}",
    **dict.fromkeys(STATES, "raise the GPUs of resources['train'], with compute.sharded=True"),
}
Parts = dict[str, int]


@dataclass(frozen=True)
class Lengths:
    """Tokens of the longest prompt in training, and of those that the probe or an evaluation asks; of the longest
    demonstration, and of a response in an evaluation."""

    prompt: int
    asked: int
    demonstration: int
    evaluated: int


def reads_discriminator(run: Run) -> bool:
    """Whether a model scores the run's rollouts for its loss or reward; noise and length are no models."""
    return scored_by(run.settings) not in (None, *CONTROLS)


def own_discriminator(run: Run, policy: Shape, judge: Shape | None) -> int:
    """Bytes of the discriminator of the run's loss: frozen in float16; co-trained, the policy's first layers."""
    if not reads_discriminator(run):
        return 0
    if getattr(run.settings, "discriminator", None) == "cotrained":
        return 4 * memory.FLOAT * (policy.embedding + COTRAINED_LAYERS * policy.layer_matrices)
    return memory.parameters(judge, memory.HALF) if judge else 0


def per_step(run: Run) -> tuple[int, int]:
    """(rollouts, demonstration rows) of an optimizer step, at most."""
    most = run.method.most_per_step(run.settings)
    return most.rollouts, most.demonstration_rows


def passes(run: Run, devices: int, lengths: Lengths) -> Iterator[tuple[int, int, int]]:
    """(rows, tokens per row, positions that the head scores) of a micro-batch: of demonstrations, of rollouts."""
    rollouts, demonstrations = per_step(run)
    if not rollouts + demonstrations:
        return
    rows = batch_sizes(rollouts or demonstrations, run.compute.rows_per_device, devices)
    per_device, response = rows["per_device_train_batch_size"], lengths.demonstration
    if rollouts and demonstrations:
        demonstrations = max(1, demonstrations // (devices * rows["gradient_accumulation_steps"]))
        yield demonstrations, lengths.prompt + response, demonstrations * response
    prompt = lengths.prompt
    if rollouts:
        response = run.settings.max_new_tokens
        if run.compute.engine:  # a group's prompt is read once
            prompt = math.ceil(prompt / min(run.settings.group, per_device))
    yield per_device, prompt + response, per_device * response


def states(run: Run, policy: Shape, devices: int) -> Parts:
    """Parameters, gradients and optimizer on one of `devices` GPUs, and what the GPUs exchange.

    Sharded: a share of each; embedding and two layers whole at a time (ours: an upper bound), and, where a step has two
    backward passes, the first one's gradients of all parameters (docs/clusters.md). Else, on more than one GPU,
    DDP's buckets are as large as the gradients.
    """
    shards = devices if run.compute.sharded else 1
    weights = memory.parameters(policy)
    parts = {
        "parameters": weights // shards,
        "gradients": weights // shards,
        "AdamW": memory.optimizer(policy) // shards,
    }
    if shards > 1:
        parts["gathered"] = memory.FLOAT * (policy.embedding + 2 * policy.layer_matrices)
        if all(per_step(run)):
            parts["gradients"] = weights
    elif devices > 1:
        parts["DDP buckets"] = weights
    return parts


def training(
    run: Run,
    policy: Shape,
    judge: Shape | None,
    evaluation: Evaluation,
    *,
    devices: int,
    gpu: float,
    lengths: Lengths,
    probed: bool = True,
    served: bool = False,
    a: Assumptions = DEFAULT,
) -> Parts:
    """Bytes on the first GPU at the fullest moment of a training, which has `devices` GPUs of `gpu` bytes.

    The first process holds the probe (`probed`; nobody does where the policy is sharded): a base in float32 and a
    discriminator of its own, beside that of the loss. `judge` is None where no discriminator is on this GPU; `served`:
    rollouts come from a server.
    """
    compute = run.compute
    probed = probed and not compute.sharded
    weights = states(run, policy, devices)
    around = {"reserve": int(a.reserve), "discriminators": own_discriminator(run, policy, judge)}
    if probed:
        around["discriminators"] += memory.parameters(judge, memory.HALF) if judge else 0
        around["probe's base"] = memory.parameters(policy)
    if compute.rollouts == "vllm" and per_step(run)[0] and not served:
        around["vLLM"] = int(compute.vllm_memory * gpu)
    moments = []
    for rows, length, positions in passes(run, devices, lengths):
        during = memory.moments(
            policy, rows, length, positions, bf16=bool(compute.bf16), checkpointing=compute.gradient_checkpointing
        )
        moments += [weights | around | parts for parts in during.values()]
    if not moments:
        moments.append(weights | around)
    if probed:
        probe_rows, length = evaluation.probe_prompts, lengths.asked + lengths.evaluated
        idle = {name: size for name, size in weights.items() if name != "gradients"} | around
        cache = memory.kv_cache(policy, probe_rows * length, memory.FLOAT)
        moments.append(idle | {"probe's KV cache": cache})
        scoring = memory.inference(policy, min(probe_rows, LOGPROB_ROWS), length) + LOGPROB_LOGITS
        moments.append(idle | {"log-probabilities": scoring})
    return max(moments, key=lambda parts: sum(parts.values()))


def generation(
    checkpoint: Shape,
    base: Shape,
    compute: Compute,
    *,
    gpu: float,
    lengths: Lengths,
    a: Assumptions = DEFAULT,
) -> Parts:
    """Bytes on the first GPU at the fullest moment of an evaluation: vLLM beside the base, then log-probabilities."""
    resident = {"the base": memory.parameters(base), "reserve": int(a.reserve)}
    length = lengths.asked + lengths.evaluated
    scoring = max(memory.inference(shape, LOGPROB_ROWS, length) for shape in (checkpoint, base)) + LOGPROB_LOGITS
    moments = [resident | {"the checkpoint": memory.parameters(checkpoint), "log-probabilities": scoring}]
    if compute.evaluate == "vllm":
        moments.append(resident | {"vLLM": int(compute.vllm_memory * gpu)})
    return max(moments, key=lambda parts: sum(parts.values()))


def vllm(shape: Shape, context: int, *, gpu: float, memory_share: float, gpus: int = 1) -> tuple[float, float]:
    """(bytes that vLLM needs at least, bytes that it has) on each of `gpus` GPUs: weights and one sequence's cache."""
    least = (memory.parameters(shape, memory.HALF) + memory.kv_cache(shape, context)) / gpus
    return least, memory_share * gpu


def in_gb(parts: Parts) -> str:
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / 1e9:.1f}" for name, size in ordered if size >= 5e7)


def refusal(
    what: str, parts: Parts, has: float, whose: str = "a GPU's", remedies: Mapping[str, str] = REMEDIES
) -> str | None:
    """One line where `parts` are more than the `has` bytes of a GPU, with the setting that changes the largest."""
    total = sum(parts.values())
    if total <= has:
        return None
    largest = max((name for name in parts if name in remedies), key=parts.__getitem__)
    return (
        f"{what} needs {total / 1e9:.1f} GB of {whose} {has / 1e9:.1f} ({in_gb(parts)}): {remedies[largest]} "
        "(experiments/scales.py)"
    )


def refusal_of_vllm(what: str, least: float, has: float, share_of: float) -> str | None:
    """One line where vLLM's share of a GPU cannot hold its weights and one sequence."""
    if least <= has:
        return None
    return (
        f"{what}: vLLM needs {least / 1e9:.1f} GB for weights and one sequence and has {has / 1e9:.1f} "
        f"(compute.vllm_memory={share_of}): raise compute.vllm_memory or the GPUs of this stage (experiments/scales.py)"
    )


def gpu_memory() -> int | None:
    """Bytes of the smallest GPU that this process sees; None on a CPU."""
    import torch

    totals = [torch.cuda.get_device_properties(i).total_memory for i in range(torch.cuda.device_count())]
    return min(totals, default=None)


def longest(path: Path, column: str, tokenizer, rows: int | None = None) -> int:
    """Tokens of the longest text in a column of a file, or of its first `rows`: Chinese has four times English's."""
    texts = [row.get(column) or "" for row in read_jsonl(path)[:rows]]
    return max(map(len, tokenizer(texts)["input_ids"]), default=0) if texts else 0


def check(*refusals: str | None) -> None:
    """Raise UserError for the first refusal."""
    for line in filter(None, refusals):
        raise UserError(line)


def check_training(job: Job, evaluation: Evaluation) -> None:
    """Raise UserError, before a model is loaded, where the training cannot fit its GPU. Nothing on a CPU."""
    gpu = gpu_memory()
    if gpu is None:
        return
    run, policy = job.run, read_shape(job.start)
    judge = read_shape(job.discriminator) if job.discriminator and not job.polar else None
    rows, tokenizer = job.data / "train.jsonl", load_tokenizer(job.start)
    probe_length = longest(job.data / "validation.jsonl", "prompt", tokenizer, evaluation.probe_prompts)
    prompt, shown = (longest(rows, column, tokenizer) for column in ("prompt", "demonstration"))
    lengths = Lengths(prompt, probe_length, shown, evaluation.max_new_tokens)
    what, served = f"arm {run.arm}", bool(job.rollouts)
    needed = training(run, policy, judge, evaluation, devices=processes(), gpu=gpu, lengths=lengths, served=served)
    lines = [refusal(what, needed, gpu)]
    if "vLLM" in needed:
        least, has = vllm(policy, tokenizer.model_max_length, gpu=gpu, memory_share=run.compute.vllm_memory)
        lines.append(refusal_of_vllm(what, least, has, run.compute.vllm_memory))
    check(*lines)


def check_generation(
    checkpoint: Path, base: Path | None, prompts: Path, evaluation: Evaluation, compute: Compute
) -> None:
    """Raise UserError, before a model is loaded, where the evaluation cannot fit its GPU. Nothing on a CPU.

    Without a base only vLLM is there, and has the GPU to itself.
    """
    gpu = gpu_memory()
    if gpu is None:
        return
    shape, tokenizer = read_shape(checkpoint), load_tokenizer(checkpoint)
    lengths = Lengths(0, longest(prompts, "prompt", tokenizer), 0, evaluation.max_new_tokens)
    what = f"the evaluation of {checkpoint}"
    has_share, lines = compute.vllm_memory if base else harness.ALONE, []
    if base:
        lines.append(refusal(what, generation(shape, read_shape(base), compute, gpu=gpu, lengths=lengths), gpu))
    if compute.evaluate == "vllm" or not base:
        context, gpus = tokenizer.model_max_length, max(1, int(os.environ.get("UNIAPL_GPUS", 1)))
        least, has = vllm(shape, context, gpu=gpu, memory_share=has_share, gpus=gpus)
        lines.append(refusal_of_vllm(what, least, has, has_share))
    check(*lines)
