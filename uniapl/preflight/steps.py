"""The first steps of `grpo` and `uniapl` on this machine, and what their histories should say.

A training of a few steps is the real one: the scale's settings, data and devices, the probe at its start and the
checkpoint at its end. Its folder is temporary, beside the results.
"""

import csv
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from uniapl.config.runs import Runs
from uniapl.errors import UserError
from uniapl.preflight.finding import Finding, show

ARMS = ("grpo", "uniapl")
Rows = Sequence[Mapping[str, float]]


def _mean(rows: Rows, name: str) -> float:
    values = [row[name] for row in rows if name in row]
    return sum(values) / len(values) if values else math.nan


def _always(rows: Rows, name: str, holds: Callable[[float], bool]) -> bool:
    return bool(rows) and all(name in row and holds(row[name]) for row in rows)


def _read(name: str, rows: Rows, passed: bool, remedy: str) -> Finding:
    first, last = (next((f"{r[name]:.4g}" for r in part if name in r), "none") for part in (rows, rows[::-1]))
    seen = f"first {first}, last {last}, mean {_mean(rows, name):.4g}"
    return Finding(name, passed, seen, "" if passed else remedy)


def findings(rows: Rows, *, vllm: bool, adversarial: bool) -> list[Finding]:
    """What a history of a few steps should say. Limits are ours: above them, hours of GPUs buy another experiment."""
    length, lost = "raise max_new_tokens: the rewards of cut answers are those of other texts", "lower learning_rate"
    found = [
        _read("loss", rows, _always(rows, "loss", math.isfinite), lost),
        _read("grad_norm", rows, _always(rows, "grad_norm", lambda x: 0 <= x < math.inf), lost),
        _read("reward", rows, 0 < _mean(rows, "reward") < 1, "prompts are too hard, or too easy, to teach anything"),
        _read("zero_variance", rows, _mean(rows, "zero_variance") < 0.9, "most groups teach nothing: raise group"),
        _read("clipped", rows, _mean(rows, "clipped") < 0.2, length),
    ]
    if vllm:
        apart = "sampler and trainer disagree: compare float16 with bfloat16 before anything else"
        found += [
            _read("sampler_difference", rows, _mean(rows, "sampler_difference") < 0.05, apart),
            _read("sampler_ratio", rows, 0.9 < _mean(rows, "sampler_ratio") < 1.1, apart),
        ]
    if adversarial:
        blind = "the discriminator does not know the expert from the policy at the start: look at its scores"
        found += [
            _read("auc", rows, rows[0].get("auc", 0) > 0.5 if rows else False, blind),
            _read("loss_adversarial", rows, _always(rows, "loss_adversarial", math.isfinite), lost),
        ]
    for name in ("seconds", "peak_memory_mb"):  # to be held against what `uniapl plan` prints
        found.append(_read(name, rows, True, ""))
    return found


def read_history(path: Path) -> list[dict[str, float]]:
    """Rows of history.csv, numbers alone; the row of step 0, which only a probe writes, is left out."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [row for row in rows if row["step"] > 0]


def needed(runs: Runs, root: Path) -> dict[str, Path]:
    """The folders that a training reads, by option. Raises UserError, with the command that makes them."""
    shared = [arm for arm in ("base", "discriminator") if arm in runs.shared]
    targets = [root / "data/summary.json", *(root / f"train/{arm}/seed0/run.json" for arm in shared)]
    if any(not path.exists() for path in targets):
        command = f"snakemake --cores all --config scale={runs.scale.name} -- {' '.join(map(str, targets))}"
        raise UserError(f"{root}: lacks the data, the base or the discriminator: {command}")
    return {"data": root / "data"} | {arm: root / f"train/{arm}/seed0/model" for arm in shared}


def steps(runs: Runs, count: int, root: Path) -> bool:
    """Train each arm and show what its history says; returns whether all passed. Raises UserError as `needed`."""
    if count < 1:
        raise UserError(f"--steps {count}: must be at least 1")
    paths, passed = needed(runs, root), True
    compute = runs.scale.compute
    for arm in ARMS:
        with tempfile.TemporaryDirectory(dir=root) as folder:
            gpus = str(runs.needs("train", arm).gpus)
            command = [sys.executable, "-m", "uniapl.dag.lease", "-n", gpus, "--asked", gpus, "--"]
            command += [sys.executable, "-m", "uniapl.preflight.train", "--scale", runs.scale.name, "--arm", arm]
            command += ["--steps", str(count), "--out", folder]
            command += [word for name, path in paths.items() for word in (f"--{name}", str(path))]
            if subprocess.run(command, env=os.environ).returncode:
                passed = show(f"{arm}: {count} steps", [Finding("training", False, "it ended", "its lines above")])
                continue
            rows = read_history(Path(folder) / "history.csv")
        scored = arm == "uniapl" and runs.scale.discriminator is not None
        judged = findings(rows, vllm=compute.rollouts == "vllm", adversarial=scored)
        passed &= show(f"{arm}: {count} steps", judged)
    return passed
