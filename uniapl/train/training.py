"""Stage train: one run (an arm at a seed) from its start checkpoint to its own.

`python -m uniapl.train --scale tiny --arm grpo --seed 0 --data D --start CHECKPOINT --out FOLDER` writes to FOLDER

    model/        the checkpoint, Hugging Face format
    history.csv   one row per optimizer step: losses, reward, probe measurements, tokens, seconds, memory
    run.json      the run card: resolved configuration, fingerprint, cost, versions, commit, hash of the weights
    state/        the resumable checkpoint, while the run is unfinished

A killed run continues from state/ and ends with the same weights. run.json is written last. On several GPUs
the processes share every step's rows (uniapl/models/devices.py), and the first one writes.
"""

import argparse
import fcntl
import hashlib
import importlib
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uniapl.config import Evaluation, arm_of, load_scale
from uniapl.config.job import Job
from uniapl.costs.fit import check_training, judged
from uniapl.discriminators import folder_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_json, read_jsonl
from uniapl.models.checkpoints import load_policy, load_tokenizer
from uniapl.models.devices import leads, on_all_devices, processes, reduce_in_float32
from uniapl.models.startup import collector_paused, project_labels_alone
from uniapl.provenance import commit, device, peak_memory_mb, versions

COMPLETE = "complete"  # marks a checkpoint whose last byte is written
NAMES = {  # TRL's names of what it logs, and ours
    "loss": "loss",
    "rewards/follows_all/mean": "reward",  # without what shapes it
    "entropy": "entropy",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "clipped",  # the share of rollouts that reached the limit
    "sampling/sampling_logp_difference/mean": "sampler_difference",  # |log p of vLLM - log p|, in nats per token
    "sampling/sampling_logp_difference/max": "sampler_difference_max",
    "sampling/importance_sampling_ratio/min": "sampler_ratio_min",
    "sampling/importance_sampling_ratio/mean": "sampler_ratio",
    "sampling/importance_sampling_ratio/max": "sampler_ratio_max",
    "frac_reward_zero_std": "zero_variance",
    "num_tokens": "tokens_seen",
    "accuracy": "accuracy",
}
KEPT = ("loss_", "probe_", "mu", "lam", "score", "distance", "auc", "discriminator_")
KEPT += ("demonstration_tokens", "seconds", "peak_memory_mb")


def check_arguments(job: Job) -> None:
    """Raise UserError, before anything is read or written, where the command lacks what the arm needs."""
    if not (job.data / "summary.json").is_file():
        raise UserError(f"{job.data}: no summary.json; run the stage data first")
    for option, url in (("polar", job.polar), ("rollouts", job.rollouts)):
        if url and ("@" in url or "?" in url):
            raise UserError(f"--{option} holds a password or a query, which logs would show: leave it out")
    if job.discriminator and not job.base:
        raise UserError("--discriminator needs --base: the policy is measured against both")
    if judged(job.run):
        folder_of(job, getattr(job.run.settings, "discriminator", None))


def check_configuration(job: Job) -> None:
    """Refuse a state folder that belongs to another configuration, naming what differs; otherwise claim it."""
    state, path = job.state, job.state / "run.json"
    data = hashlib.sha256((job.data / "summary.json").read_bytes()).hexdigest()
    now = {**job.run.describe(), "data": data, "processes": processes()}
    if path.exists():
        before = read_json(path, ("settings",))
        if before != now:
            flat = [{**d, **{f"settings.{k}": v for k, v in d["settings"].items()}} for d in (before, now)]
            keys = sorted(k for k in flat[0].keys() | flat[1].keys() if k not in ("settings", "world"))
            changed = [f"{k}: {flat[0].get(k)} -> {flat[1].get(k)}" for k in keys if flat[0].get(k) != flat[1].get(k)]
            raise UserError(
                f"{state} holds an unfinished run of another configuration "
                f"({'; '.join(changed) or 'the data differ'}): restore it, or remove the folder to start anew"
            )
    state.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(now, indent=2) + "\n")


def last_checkpoint(state: Path, accelerator) -> Path | None:
    """The newest complete checkpoint; the first process removes half-written ones before any process looks."""
    if accelerator.is_main_process:
        for path in state.glob("checkpoint-*"):
            if not (path / COMPLETE).exists():
                shutil.rmtree(path)
    accelerator.wait_for_everyone()
    return max(state.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), default=None)


def watch(trainer) -> None:
    """Add the callbacks that keep the history's own columns, stop on NaN, show progress and mark checkpoints."""
    from transformers import PrinterCallback, TrainerCallback

    class Watch(TrainerCallback):
        def on_train_begin(self, args, state, control, **kwargs):
            self.first, self.start = state.global_step, time.perf_counter()
            self.last = self.shown = self.start

        def on_log(self, args, state, control, **kwargs):
            row, now = state.log_history[-1], time.perf_counter()
            for name in ("loss", "grad_norm"):
                if name in row and not math.isfinite(row[name]):
                    raise UserError(
                        f"{name} is {row[name]} at step {row['step']} of {state.max_steps}: training stopped; "
                        f"the last good checkpoint is kept in {args.output_dir}"
                    )
            row["seconds"], self.last = now - self.last, now
            row["peak_memory_mb"] = peak_memory_mb()
            if now - self.shown > 5 and trainer.accelerator.is_main_process:
                self.shown, rate = now, (state.global_step - self.first) / (now - self.start)
                left = (state.max_steps - state.global_step) / max(rate, 1e-9)
                print(
                    f"step {state.global_step}/{state.max_steps}, {rate:.2f} steps/s, {left:.0f} s left",
                    flush=True,
                )

        def on_save(self, args, state, control, **kwargs):
            trainer.accelerator.wait_for_everyone()  # until the last process has written its part
            if trainer.accelerator.is_main_process:
                (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch())


def add_probe(trainer, job: Job, evaluation: Evaluation) -> None:
    """Measure the policy on validation prompts while it trains, against the base and the frozen discriminator."""
    from uniapl import discriminators
    from uniapl.train.probe import Probe, ProbeCallback

    rows = [row for row in read_jsonl(job.data / "validation.jsonl") if row["benchmark"] == "trained"]
    rows = rows[: evaluation.probe_prompts]
    expert = {row["key"]: row["response"] for row in read_jsonl(job.data / "expert.jsonl")}
    probe = Probe(
        rows=rows,
        references=[expert[row["key"]] for row in rows],
        base=load_policy(job.base).to(trainer.accelerator.device).eval(),
        tokenizer=load_tokenizer(job.base),
        discriminator=discriminators.of(job),
        max_new_tokens=evaluation.max_new_tokens,
    )
    trainer.add_callback(ProbeCallback(probe, job.run.settings.probe_every, job.run.seed))


def history(log: list[dict], rollouts: int) -> list[dict]:
    """One row per optimizer step from the trainer's log: what NAMES, `loss_*`, `probe_*` and the costs say.

    tokens_generated: sampled response tokens; tokens_trained: prompt and response tokens in the loss.
    """
    rows: dict[int, dict] = {}
    for entry in log:
        row = rows.setdefault(entry["step"], {"step": entry["step"]})
        row |= {ours: entry[theirs] for theirs, ours in NAMES.items() if theirs in entry}
        row |= {k: v for k, v in entry.items() if k.startswith(KEPT)}
    seen = 0
    for step in sorted(rows):
        row = rows[step]
        if "tokens_seen" in row:
            now = row.pop("tokens_seen")
            row["tokens_trained"] = now - seen + row.pop("demonstration_tokens", 0)
            seen = now
        if rollouts and "length" in row:
            row["tokens_generated"] = row["length"] * rollouts
    return [rows[step] for step in sorted(rows)]


def total_cost(rows: list[dict], steps: int, per_step: dict) -> dict:
    """What the run consumed in all: steps, rows, tokens, seconds; peak memory in MiB."""
    cost = {"optimizer_steps": steps} | {name: n * steps for name, n in per_step.items()}
    for name in ("tokens_generated", "tokens_trained", "seconds"):
        cost[name] = sum(row.get(name, 0) for row in rows)
    return cost | {"peak_memory_mb": max(row.get("peak_memory_mb", 0) for row in rows)}


def weights_sha256(model: Path) -> str:
    """SHA-256 of a checkpoint's safetensors, the shards in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(model.glob("*.safetensors")):
        with open(path, "rb") as file:
            while block := file.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()


def devices_asked() -> int:
    """How many devices the scale asks for this run: the scheduler may grant fewer, and the step stays the same."""
    return int(os.environ.get("UNIAPL_GPUS_ASKED", 0)) or processes()


def build(module, job: Job):
    """The run's trainer. Raises UserError for settings that it refuses."""
    try:
        return module.build(job)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"arm {job.run.arm}: {error}") from error


def train(job: Job, evaluation: Evaluation, out: Path) -> None:
    """Train the run, or finish it; write its checkpoint, history and card to `out`."""
    import pandas as pd

    run, state = job.run, job.state
    with collector_paused():
        check_training(job, evaluation)
    if leads():  # the others would read what it is writing
        check_configuration(job)
    module = importlib.import_module(run.trainer)
    with collector_paused():
        project_labels_alone()
        trainer = build(module, job)
    reduce_in_float32(trainer.accelerator)
    first = trainer.accelerator.is_main_process
    watch(trainer)
    if job.discriminator and first and not run.compute.sharded:  # no process has a sharded policy to measure
        add_probe(trainer, job, evaluation)
    checkpoint = last_checkpoint(state, trainer.accelerator)
    if checkpoint and first:
        print(f"continuing from {checkpoint.name}", flush=True)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    heldout = trainer.evaluate() if trainer.eval_dataset is not None else {}

    fresh = out / "model.new"
    trainer.save_model(str(fresh))
    trainer.accelerator.wait_for_everyone()
    if not first:
        return
    (fresh / "training_args.bin").unlink(missing_ok=True)  # a pickle, which nobody should have to load
    shutil.rmtree(out / "model", ignore_errors=True)
    fresh.rename(out / "model")
    per_step = module.cost_per_step(run.settings)
    rows = history(trainer.state.log_history, per_step["rollouts"])
    table = pd.DataFrame(rows).set_index("step").sort_index(axis="columns")  # a resumed log has another key order
    table.to_csv(out / "history.csv")
    card = {
        **run.describe(),
        "start_arm": run.start.arm if run.start else None,
        "scale": run.scale,
        "fingerprint": run.fingerprint,
        "cost": total_cost(rows, run.settings.steps, per_step),
        "heldout": {k: v for k, v in heldout.items() if k in ("eval_loss", "eval_accuracy", "eval_margin")},
        "parameters": trainer.model.num_parameters(),
        "weights_sha256": weights_sha256(out / "model"),
        "devices": {"granted": processes(), "asked": devices_asked()},
        "versions": versions(),
        "device": device(),
        "commit": commit(),
    }
    (out / "run.json").write_text(json.dumps(card, indent=2) + "\n")
    shutil.rmtree(state)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep other trainings out of the folder. Raises UserError where one is in it. The first process holds the lock."""
    out.mkdir(parents=True, exist_ok=True)
    if not leads():
        yield
        return
    with open(out / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{out} is being trained by another process: wait for it, or stop it") from None
        yield


@one_line_errors
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--arm", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the stage data")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint to start from")
    parser.add_argument("--base", type=Path, help="checkpoint of the base, for the probe")
    parser.add_argument("--discriminator", type=Path, help="checkpoint of the frozen discriminator")
    parser.add_argument("--polar", help="URL of a server that scores in POLAR's place")
    parser.add_argument("--rollouts", help="URL of TRL's vLLM server, in the place of vLLM in this process")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    scale = load_scale(args.scale)
    job = Job(
        run=arm_of(scale, args.arm, args.seed),
        data=args.data,
        start=args.start,
        state=args.out / "state",
        base=args.base,
        discriminator=args.discriminator,
        polar=args.polar,
        rollouts=args.rollouts,
    )
    check_arguments(job)
    on_all_devices("uniapl.train", sys.argv[1:] if argv is None else argv, sharded=scale.compute.sharded)
    with alone(args.out):
        train(job, scale.evaluation, args.out)
