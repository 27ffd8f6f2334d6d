"""The folder of an unfinished run: who may write there, which run it belongs to, and where to go on."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uniapl.config.job import Job
from uniapl.errors import UserError
from uniapl.jsonl import read_json
from uniapl.locks import lock
from uniapl.models.devices import is_main_process, processes
from uniapl.models.precision import name_of_dtype
from uniapl.provenance import checksums, sha256_of

COMPLETE = "complete"  # marks a checkpoint whose last byte is written


@contextmanager
def sole_training(out: Path) -> Iterator[None]:
    """Keep other trainings out of the folder. Raises UserError where one is in it. The first process holds the lock.

    On a file system without locks one line says that nobody is kept out.
    """
    out.mkdir(parents=True, exist_ok=True)
    if not is_main_process():
        yield
        return
    with open(out / "lock", "w", encoding="utf-8") as file:
        if not lock(file, out / "lock", "start no second training in this folder, nothing would keep it out"):
            raise UserError(f"{out} is being trained by another process: wait for it, or stop it")
        yield


def check_configuration(job: Job) -> None:
    """Refuse a state folder that belongs to another configuration, naming what differs; claim one without a run.json.

    Where the machine decides on the precision, one that decides otherwise is refused too.
    """
    state, path = job.state, job.state / "run.json"
    data, precision = sha256_of(job.data / "summary.json"), name_of_dtype(job.run.compute)
    now = {**job.run.describe(), "data": data, "processes": processes(), "precision": precision}
    if path.exists():
        before = {"precision": precision, **read_json(path, ("settings",))}  # unfinished runs may be older than the key
        if before != now:
            flat = [{**d, **{f"settings.{k}": v for k, v in d["settings"].items()}} for d in (before, now)]
            keys = sorted(k for k in flat[0].keys() | flat[1].keys() if k not in ("settings", "world"))
            changed = [f"{k}: {flat[0].get(k)} -> {flat[1].get(k)}" for k in keys if flat[0].get(k) != flat[1].get(k)]
            raise UserError(
                f"{state} holds an unfinished run of another configuration "
                f"({'; '.join(changed) or 'the data differ'}): restore it, or remove the folder to start anew"
            )
        return
    state.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")  # a kill or a full disk leaves no half of it
    fresh.write_text(json.dumps(now, indent=2) + "\n")
    fresh.replace(path)
    checksums.record(path)


def last_checkpoint(state: Path, accelerator) -> Path | None:
    """The newest complete checkpoint that is as it was written; the first process removes all others before any process
    looks, and names those that were damaged."""
    if accelerator.is_main_process:
        for path in state.glob("checkpoint-*"):
            if not (path / COMPLETE).exists():
                shutil.rmtree(path)
                continue
            try:
                checksums.check(path)
            except UserError as error:
                print(f"{error}; removed, the training goes on from an earlier checkpoint", flush=True)
                shutil.rmtree(path)
    accelerator.wait_for_everyone()
    return max(state.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]), default=None)


def weights_sha256(model: Path) -> str:
    """SHA-256 of a checkpoint's safetensors, the shards in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(model.glob("*.safetensors")):
        with open(path, "rb") as file:
            while block := file.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()
