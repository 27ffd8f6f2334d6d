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
import os
import shutil
import sys
from pathlib import Path

from uniapl.config import Evaluation, Method, Run, arm_of, choose, load_scale
from uniapl.config.card import RunCard
from uniapl.config.job import Job
from uniapl.costs import machine
from uniapl.costs.fit import check_training, reads_discriminator
from uniapl.data.prompts import responses_of
from uniapl.discriminators import folder_of
from uniapl.errors import UserError, one_line_errors
from uniapl.jsonl import read_jsonl
from uniapl.models.checkpoints import load_policy, load_tokenizer, share
from uniapl.models.devices import check_distribution, is_main_process, on_all_devices, processes, reduce_in_float32
from uniapl.models.precision import computing_dtype, name_of_dtype
from uniapl.models.startup import collector_paused, project_labels_alone, set_vllm
from uniapl.provenance import checksums, commit, device, versions
from uniapl.train import history
from uniapl.train.state import (
    check_configuration,
    last_checkpoint,
    sole_training,
    weights_sha256,
)

# what a card keeps of a method's own evaluation
OF_EVALUATION = ("eval_loss", "eval_accuracy", "eval_margin", "eval_auc")


def check_arguments(job: Job) -> None:
    """Raise UserError, before anything is read or written, where the command lacks what the arm needs."""
    if not (job.data / "summary.json").is_file():
        raise UserError(f"{job.data}: no summary.json; run the stage data first")
    for option, url in (("polar", job.polar), ("rollouts", job.rollouts)):
        if url and ("@" in url or "?" in url):
            raise UserError(f"--{option} holds a password or a query, which logs would show: leave it out")
    if job.discriminator and not job.base:
        raise UserError("--discriminator needs --base: the policy is measured against both")
    if reads_discriminator(job.run):
        folder_of(job, getattr(job.run.settings, "discriminator", None))


def watch(trainer, method: Method) -> None:
    """Replace the trainer's own printing by Watch."""
    from transformers import PrinterCallback

    from uniapl.train.watch import Watch

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch(method, trainer.accelerator))


def integrations(names: list[str]) -> list:
    """transformers' callbacks that report a training elsewhere, such as trackio.

    Raises UserError for a name that it does not know, and for a package that is not installed.
    """
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    callbacks = []
    for name in names:
        try:
            callbacks.append(INTEGRATION_TO_CALLBACK[choose("--report-to", name, INTEGRATION_TO_CALLBACK)]())
        except (RuntimeError, ImportError) as error:  # each integration says itself what it needs
            raise UserError(f"--report-to {name}: {error}") from error
    return callbacks


def report_elsewhere(trainer, callbacks: list, run: Run) -> None:
    """Let transformers' callbacks hear of the training, under the name of its scale, arm and seed."""
    trainer.args.project, trainer.args.run_name = f"uniapl-{run.scale}", f"{run.arm} seed {run.seed}"
    for callback in callbacks:
        trainer.add_callback(callback)


def add_probe(trainer, job: Job, evaluation: Evaluation) -> None:
    """Measure the policy on validation prompts while it trains, against the base and the frozen discriminator.

    Without a discriminator, or responses of an expert to hold the policy's against, nothing is scored; without
    validation prompts of the trained types there is no probe.
    """
    from uniapl import discriminators
    from uniapl.train.probe import Probe, ProbeCallback

    rows = read_jsonl(job.data / "validation.jsonl", ("key", "prompt", "benchmark"))
    rows = [row for row in rows if row["benchmark"] == "trained"]
    rows = rows[: evaluation.probe_prompts]
    if not rows:
        return
    expert = job.data / "expert.jsonl"
    scored = bool(job.discriminator) and expert.is_file()
    responses = responses_of(expert, rows) if scored else {}
    probe = Probe(
        rows=rows,
        references=[responses[row["key"]] for row in rows] if scored else [],
        base=load_policy(job.base).to(trainer.accelerator.device).eval(),
        tokenizer=load_tokenizer(job.base),
        discriminator=discriminators.load_discriminator(job) if scored else None,
        max_new_tokens=evaluation.max_new_tokens,
        sampler_dtype=computing_dtype(job.run.compute) if job.run.compute.engine else None,
    )
    trainer.add_callback(ProbeCallback(probe, job.run.settings.probe_every, job.run.seed))


def devices_asked() -> int:
    """How many devices the scale asks for this run: the scheduler may grant fewer, and the step stays the same."""
    return int(os.environ.get("UNIAPL_GPUS_ASKED", 0)) or processes()


def build(job: Job):
    """The run's trainer. Raises UserError for settings that it refuses."""
    try:
        return job.run.method.build(job)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"arm {job.run.arm}: {error}") from error


def train(job: Job, evaluation: Evaluation, out: Path, report_to: list[str] | None = None) -> None:
    """Train the run, or finish it; write its checkpoint, history and card to `out`.

    `report_to`: transformers' integrations that hear of it too, which changes no result.
    """
    run, state, elsewhere = job.run, job.state, integrations(report_to or [])
    set_vllm()
    with collector_paused():
        check_training(job, evaluation)
        if is_main_process():  # the others would read what it is writing
            check_configuration(job)
    with collector_paused():
        project_labels_alone()
        trainer = build(job)
    check_distribution(trainer.accelerator, sharded=run.compute.sharded)
    reduce_in_float32(trainer.accelerator)
    first = trainer.accelerator.is_main_process
    watch(trainer, run.method)
    report_elsewhere(trainer, elsewhere, run)
    if job.base and first and not run.compute.sharded:  # no process has a sharded policy to measure
        add_probe(trainer, job, evaluation)
    checkpoint = last_checkpoint(state, trainer.accelerator)
    if checkpoint and first:
        print(f"continuing from {checkpoint.name}", flush=True)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    heldout = trainer.evaluate() if trainer.eval_dataset is not None else {}
    fresh = out / "model.new"
    trainer.save_model(str(fresh))
    trainer.accelerator.wait_for_everyone()
    if first:
        finish(job, trainer, heldout, fresh, out)


def finish(job: Job, trainer, heldout: dict, fresh: Path, out: Path) -> None:
    """Put the saved model in its place, write history and card, and remove the resumable state."""
    run = job.run
    (fresh / "training_args.bin").unlink(missing_ok=True)  # a pickle, which nobody should have to load
    share(fresh)
    shutil.rmtree(out / "model", ignore_errors=True)
    fresh.rename(out / "model")
    most = run.method.most_per_step(run.settings)
    rows = history.history(trainer.state.log_history, run.method, most)
    history.write(rows, out / "history.csv")
    card = RunCard.for_run(
        run,
        cost=history.total_cost(rows, trainer.state.global_step, most),  # a method may end before its last step
        heldout={name: value for name, value in heldout.items() if name in OF_EVALUATION},
        parameters=trainer.model.num_parameters(),
        weights_sha256=weights_sha256(out / "model"),
        devices={"granted": processes(), "asked": devices_asked()},
        versions=versions(),
        device=device(),
        precision=name_of_dtype(run.compute),
        commit=commit(),
    )
    card.write(out / "run.json")
    checksums.record(out / "model", out / "history.csv", out / "run.json")
    shutil.rmtree(job.state)


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
    parser.add_argument("--report-to", nargs="+", help="transformers' integrations that hear of it, such as trackio")
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
    machine.check(scale, args.arm)
    on_all_devices("uniapl.train", sys.argv[1:] if argv is None else argv, sharded=scale.compute.sharded)
    with sole_training(args.out):
        train(job, scale.evaluation, args.out, args.report_to)
