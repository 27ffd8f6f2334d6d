"""What the Snakefile needs to know before it can list its rules: scale, runs, mode. No torch."""

import csv
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from uniapl.config import Arm, Experiment, Run, Scale, all_arms, choose, experiment_names, load_experiment
from uniapl.config import load_scale, resolve, seeds_of  # isort: skip
from uniapl.errors import UserError

CONFIG_KEYS = ("scale",)
DRAWN = ("scores", "differences", "curves", "lengths", "logprobs")  # figures/<name>.py
TABLES = ("main", "comparisons", "distances", "cost")
COMPUTE = ("train", "generate")  # the rules whose time is the experiment; all else is overhead


@dataclass(frozen=True)
class Plan:
    """The runs of a scale: which arms at which seeds, where each starts, and which experiments ask for them."""

    scale: Scale
    reason: str

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {name: load_experiment(name) for name in experiment_names()}

    @cached_property
    def arms(self) -> dict[str, Arm]:
        return all_arms(self.scale, list(self.experiments.values()))

    def run(self, arm: str, seed: int | str) -> Run:
        return resolve(self.scale, self.arms, arm, int(seed))

    def evaluated(self, experiment: str) -> list[tuple[str, int]]:
        """(arm, seed) of every checkpoint that the experiment evaluates: the base once, then its arms."""
        asked = self.experiments[choose("experiment", experiment, self.experiments)]
        pairs = [("base", 0)]
        pairs += [(arm.name, seed) for arm in asked.arms for seed in seeds_of(self.scale, asked, arm)]
        return pairs

    def paths(self, template: str, experiment: str) -> list[str]:
        """`template` filled for every evaluated checkpoint of an experiment."""
        split = self.experiments[experiment].split
        return [
            template.format(scale=self.scale.name, split=split, arm=arm, seed=seed)
            for arm, seed in self.evaluated(experiment)
        ]

    def announce(self, cores: int | str) -> str:
        """The first line of a run: which scale, why, how many jobs in all, and how long they take."""
        n = len(self.evaluated("headline"))
        jobs = 1 + len(self.scale.shared) + (n - 1) + 3 * n + 3 + len(DRAWN)
        return (
            f"scale {self.scale.name} ({self.reason}): {jobs} jobs in all, {self.scale.minutes} "
            f"on {self.scale.hardware}; this run has {cores} core(s)"
        )


def choose_scale(config: dict) -> Plan:
    """The scale of `--config scale=...`; without it, paper where an NVIDIA GPU is visible and tiny elsewhere."""
    for key in config:
        choose("--config key", key, CONFIG_KEYS)
    if "scale" in config:
        return Plan(load_scale(str(config["scale"])), "asked for")
    try:
        gpus = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        gpus = ""
    if "GPU " in gpus:
        return Plan(load_scale("paper"), "an NVIDIA GPU is visible")
    return Plan(load_scale("tiny"), "no NVIDIA GPU is visible")


def plots_only(argv: list[str]) -> bool:
    """Whether the targets are figures alone: then no rule that trains exists in the DAG."""
    targets = [a.removeprefix("./") for a in argv]
    asked = [a for a in targets if a == "figures" or a.startswith("figures/")]
    others = {"all", "data", "train", "generate", "score", "analyse", "tables", "tuning"} & set(targets)
    if asked and others:
        raise UserError(f"ask for {asked[0]} alone, or for {', '.join(sorted(others))}: figures never train")
    return bool(asked)


def ignore_missing_conda(deployment_settings) -> bool:
    """Where no conda executable exists, drop `--use-conda`, so that rules run in the active environment.

    Returns whether it was dropped. `deployment_settings` is Snakemake's own object (pinned, >=9.27,<10).
    """
    from snakemake.settings.types import DeploymentMethod

    if deployment_settings is None or DeploymentMethod.CONDA not in deployment_settings.deployment_method:
        return False
    if shutil.which("conda"):
        return False
    kept = set(deployment_settings.deployment_method) - {DeploymentMethod.CONDA}
    deployment_settings.deployment_method = kept
    return True


def drawable(names: tuple[str, ...] = ("published", "local")) -> list[str]:
    """`<set>/<scale>` of every result folder that figures can be drawn from."""
    found = [path for name in names for path in sorted(Path("results").glob(f"{name}/*/analyse/headline/main.csv"))]
    return [f"{path.parts[1]}/{path.parts[2]}" for path in found]


def compute_share(benchmarks: Path, started: float, cores: int) -> str:
    """How much of wall time x cores the jobs finished since `started` spent in training and generation."""
    spent = dict.fromkeys((*COMPUTE, "other"), 0.0)
    for path in benchmarks.rglob("*.tsv"):
        if path.stat().st_mtime >= started:
            with open(path) as file:
                rule = path.relative_to(benchmarks).parts[0]
                spent[rule if rule in COMPUTE else "other"] += sum(float(r["s"]) for r in csv.DictReader(file, delimiter="\t"))
    wall = time.time() - started
    share = 100 * sum(spent[rule] for rule in COMPUTE) / (wall * cores)
    parts = ", ".join(f"{rule} {seconds:.0f} s" for rule, seconds in spent.items())
    return f"{wall:.0f} s on {cores} core(s): {share:.0f} % of wall time x cores in training and generation ({parts})"


def fail(error: UserError) -> None:
    """End Snakemake's parsing with one line instead of a traceback."""
    sys.stdout.flush()
    print(f"error: {error}", file=sys.stderr, flush=True)
    os._exit(2)
