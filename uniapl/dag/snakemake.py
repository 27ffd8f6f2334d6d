"""What the Snakefile needs to know before it can list its rules: scale, runs, mode. No torch."""

import csv
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from uniapl.config import (
    Arm,
    Experiment,
    Run,
    Scale,
    all_arms,
    check_scale,
    choose,
    experiments_of,
    load_scale,
    resolve,
    seeds_of,
)
from uniapl.config.resources import Resources
from uniapl.dag import lease
from uniapl.errors import UserError

SERVERS = ("teacher", "polar", "rollouts")  # --config NAME=URL: who answers in the place of a model of our own
CONFIG_KEYS = ("scale", *SERVERS)
DRAWN = {  # figures/<name>.py: the experiments whose analyses it reads
    "scores": ("headline",),
    "differences": ("headline",),
    "curves": ("headline",),
    "lengths": ("headline",),
    "logprobs": ("headline",),
    "arms": ("staged", "unified", "reward_shaping"),
    "staged": ("staged", "unified"),
    "pareto": ("headline", "staged", "unified"),
    "diversity": ("headline", "lambda_sweep"),
    "lambda_sweep": ("lambda_sweep",),
    "switch": ("switch",),
    "demonstrations": ("demonstrations",),
    "teachers": ("teachers",),
    "constrained": ("constrained",),
    "discriminators": ("discriminators",),
    "mu": ("mu_schedule",),
    "claims": ("headline", "staged", "unified", "reward_shaping", "lambda_sweep")
    + ("controls", "discriminators", "constrained"),
}
MAIN = "analyse/*/main.csv"  # of a set of results: what the figures wait for
DRAWS = [f"figures/{name}.py" for name in ("style", "histograms", "points", "recipes", "curves", "scores")]  # shared
TABLES = ("main", "comparisons", "claims", "distances", "diversity", "cost")
TABLES += ("transfer", "aggregate", "nearer", "type_comparisons")
MALLOC = {  # glibc: keep freed tensors instead of returning their pages; one run: a twentieth less CPU time
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "16000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
ANALYSES = sorted(map(str, Path("uniapl/analyse").glob("*.py")))
RENDERING = sorted(map(str, Path("uniapl/tables").glob("*.py")))
STATISTICS = sorted(map(str, Path("uniapl/stats").glob("*.py")))
REPORTING = sorted(str(path) for path in Path("uniapl/report").glob("*.*"))
CHECKERS = sorted(map(str, Path("uniapl/checkers").rglob("*.py")))
PUBLISHED = "results/published/{scale}/manifest.json"  # where it exists, local results are held against it
GENERAL = ("base", "uniapl")  # the arms whose first seed the general benchmarks are asked of
COMPUTE = ("train", "generate")  # the rules whose time is the experiment; all else is overhead


@dataclass(frozen=True)
class Plan:
    """The runs of a scale: which arms at which seeds, where each starts, which experiments ask for them."""

    scale: Scale
    reason: str

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {asked.name: asked for asked in experiments_of(self.scale)}

    @cached_property
    def arms(self) -> dict[str, Arm]:
        return all_arms(self.scale, list(self.experiments.values()))

    @cached_property
    def default(self) -> list[str]:
        """The experiments of the target `all`. A choice of settings, such as tuning, is asked for by name."""
        return [name for name, asked in self.experiments.items() if asked.split == "test" and not asked.extended]

    @cached_property
    def extended(self) -> list[str]:
        """The experiments of the target `extended`: those of `all`, and those kept out of it."""
        return self.default + [name for name, asked in self.experiments.items() if asked.extended]

    @property
    def published(self) -> bool:
        """Is there a published set of this scale?"""
        return Path(PUBLISHED.format(scale=self.scale.name)).is_file()

    def run(self, arm: str, seed: int | str) -> Run:
        return resolve(self.scale, self.arms, arm, int(seed))

    def waiting(self, arm: str) -> int:
        """How many trainings, one after another, follow from this arm's, with its own: most first."""
        return 1 + max((self.waiting(a.name) for a in self.arms.values() if a.start == arm), default=0)

    def check(self) -> None:
        """Raise UserError where the scale or an experiment has a mistake in it."""
        check_scale(self.scale)
        for arm in self.arms:
            self.run(arm, 0)

    def evaluated(self, experiment: str) -> list[tuple[str, int]]:
        """(arm, seed) of every checkpoint that the experiment evaluates: the base once, then its arms."""
        asked = self.experiments[choose("experiment", experiment, self.experiments)]
        pairs = [("base", 0)]
        pairs += [(arm.name, seed) for arm in asked.arms for seed in seeds_of(self.scale, asked, arm)]
        return pairs

    def trained(self, experiment: str) -> set[tuple[str, int]]:
        """(arm, seed) of every training that the experiment needs: of its arms, their starts, the shared."""
        wanted = [*self.evaluated(experiment), *((arm.name, 0) for arm in self.scale.shared)]
        found = set()
        for run in (self.run(*pair) for pair in wanted):
            while run:
                found.add((run.arm, run.seed))
                run = run.start
        return found

    @cached_property
    def batches(self) -> dict[tuple[str, tuple[int, ...]], list[str]]:
        """(split, seeds) -> the arms of which one process evaluates the checkpoints at these seeds.

        All seeds of an arm that any experiment evaluates on a split, since half the time of one alone is imports;
        those that only extended experiments evaluate are a batch of their own.
        """
        found, seen = {}, set()
        for extended in (False, True):
            seeds: dict[tuple[str, str], set[int]] = {}
            for name, asked in self.experiments.items():
                for arm, seed in self.evaluated(name) if asked.extended is extended else ():
                    if (asked.split, arm, seed) not in seen:
                        seeds.setdefault((asked.split, arm), set()).add(seed)
            for (split, arm), of_arm in seeds.items():
                found.setdefault((split, tuple(sorted(of_arm))), []).append(arm)
                seen |= {(split, arm, seed) for seed in of_arm}
        return found

    def jobs(self, experiments: list[str]) -> int:
        """How many jobs the experiments are in all, the target itself included."""
        trained = set().union(*map(self.trained, experiments))
        evaluated = {(self.experiments[name].split, *pair) for name in experiments for pair in self.evaluated(name)}
        batches = sum(
            any((split, arm, seed) in evaluated for seed in seeds)
            for (split, seeds), arms in self.batches.items()
            for arm in arms
        )
        each = ("analyse", "tables")
        others = len(GENERAL) + len(self.converses) + len(each) * len(experiments) + len(figures_of(experiments))
        # data, general, overview, report, the target; beside; prompts and teach
        alone = 5 + self.published + 2 * (self.scale.kind == "public")
        return alone + len(trained) + 2 * batches + others

    @property
    def converses(self) -> tuple[str, ...]:
        """The arms that Multi-IF's conversations are held with; none in a miniature world, which has no such data."""
        return GENERAL if self.scale.kind == "public" else ()

    @cached_property
    def fetched(self) -> list[str]:
        """The arms that are downloaded, not trained."""
        return [arm.name for arm in self.arms.values() if arm.is_fetched]

    @cached_property
    def comparators(self) -> list[str]:
        """Fetched arms that experiments compare with: as large as they are, only vLLM can hold them."""
        return [arm for arm in self.fetched if arm not in {shared.name for shared in self.scale.shared}]

    def needs(self, stage: str, arm: str = "") -> Resources:
        """What a job of the stage asks for at this scale, for this arm."""
        asked = self.scale.resources
        return asked.get(f"{stage}/{arm}") or asked.get(stage, Resources())

    def request(self, stage: str, *, served: bool = False) -> dict:
        """What jobs of the stage ask for, as `request`; no GPUs where a server elsewhere does what they are for."""

        def needs(wildcards) -> Resources:
            found = self.needs(stage, getattr(wildcards, "arm", ""))
            return replace(found, gpus=0) if served else found

        return request(needs)

    def paths(self, template: str, experiment: str) -> list[str]:
        """`template` filled for every evaluated checkpoint of an experiment."""
        pairs = self.evaluated(experiment)
        split = self.experiments[experiment].split
        return [template.format(scale=self.scale.name, split=split, arm=a, seed=s) for a, s in pairs]

    def announce(self, capacity: str) -> str:
        """The first line of a run: which scale, why, how many jobs its two targets are, and how long `all` takes."""
        return (
            f"scale {self.scale.name} ({self.reason}): {self.jobs(self.default)} jobs in all, {self.scale.minutes} "
            f"on {self.scale.hardware}; {self.jobs(self.extended)} in extended; this run has {capacity}"
        )


def choose_scale(config: dict) -> Plan:
    """The scale of `--config scale=...`; without it, paper where an NVIDIA GPU is visible, else tiny."""
    for key in config:
        choose("--config key", key, CONFIG_KEYS)
    if "scale" in config:
        return Plan(load_scale(str(config["scale"])), "asked for")
    if lease.devices():
        return Plan(load_scale("paper"), "an NVIDIA GPU is visible")
    return Plan(load_scale("tiny"), "no NVIDIA GPU is visible")


def _parsed(argv: list[str]):
    """The command line by Snakemake's own parser: `-R figures` and `-q all` are no targets."""
    from snakemake.cli import get_argument_parser

    return get_argument_parser().parse_known_args(argv)[0]


def plots_only(argv: list[str]) -> bool:
    """Whether this Snakemake command line asks for figures alone: then no rule that trains may exist.

    Raises UserError where figures and other targets are asked for at once.
    """

    def figure(target: str) -> bool:
        return target.removeprefix("./").split("/")[0] == "figures"

    if not any(map(figure, argv)):
        return False
    targets = _parsed(argv).targets
    figures, others = [t for t in targets if figure(t)], [t for t in targets if not figure(t)]
    if figures and others:
        asked = ", ".join(figures)
        raise UserError(f"ask for {asked} alone, or for {', '.join(others)} alone: figures never train")
    return bool(figures)


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


def capacity(resource_settings) -> str:
    """What a run has to work with: the cores of this machine, or so many jobs of a cluster at a time."""
    if resource_settings.nodes is not None:
        return f"{resource_settings.nodes} cluster job(s) at a time"
    return f"{resource_settings.cores or 'all'} core(s)"


def request(needs: Callable[[object], Resources]) -> dict:
    """What a job with these wildcards needs, as resources of a Snakemake rule; n times memory and time at attempt n.

    Snakemake lowers `gpu` to what its profile has; `gpus_asked` stays, so that a run can record that it got fewer.
    """
    return {
        "gpu": lambda wildcards: needs(wildcards).gpus,
        "gpus_asked": lambda wildcards: needs(wildcards).gpus,
        "mem_mb": lambda wildcards, attempt: 1000 * needs(wildcards).memory_gb * attempt,
        "runtime": lambda wildcards, attempt: needs(wildcards).minutes * attempt,
    }


def limit_gpus(workflow, plan: Plan) -> None:
    """Let jobs of this machine use its GPUs at a time and no more, unless a profile or the command line says how many.

    `workflow` is Snakemake's own object (pinned, >=9.27,<10). Its children and jobs of a cluster are left alone. Raises
    UserError where the scale needs a GPU and there is none, but for a dry run.
    """
    here = workflow.is_main_process and workflow.resource_settings.nodes is None
    if not here or "gpu" in workflow.global_resources:
        return
    needed = max((needs.gpus for needs in plan.scale.resources.values()), default=0)
    found = len(lease.devices()) if needed else 0
    if needed and not found and not _parsed(sys.argv[1:]).dryrun:
        raise UserError(
            f"scale {plan.scale.name} needs {needed} GPU(s) and none is visible: run it where `nvidia-smi -L` lists "
            "one, on a cluster with --workflow-profile profiles/slurm, or choose --config scale=tiny"
        )
    workflow.register_resource("gpu", found)


def figures_of(experiments: Iterable[str]) -> list[str]:
    """The figures that can be drawn where these experiments, and no others, are analysed."""
    return [name for name, needed in DRAWN.items() if set(needed) <= set(experiments)]


def beside(results: str, figure: str) -> list[str]:
    """The published analysis that a figure of a local set shows beside its own, where there is one."""
    kind, scale = results.split("/")
    path = Path("results/published") / scale / "analyse/headline/comparisons.csv"
    return [str(path)] if figure == "differences" and kind == "local" and path.is_file() else []


def drawable() -> list[str]:
    """`<set>/<scale>/<figure>` of all that the results allow, published ones first. Raises UserError for none."""
    found = []
    for results in (p for s in ("published", "local") for p in sorted(Path("results").glob(f"{s}/*"))):
        analysed = [path.parent.name for path in results.glob(MAIN)]
        found += [f"{results.parts[1]}/{results.name}/{figure}" for figure in figures_of(analysed)]
    if not found:
        raise UserError(
            f"no figure to draw: neither results/published/*/{MAIN} nor results/local/*/{MAIN} exists; "
            "`snakemake --cores all` makes the local one"
        )
    return found


def compute_share(benchmarks: str | Path, started: float, cores: int | None) -> str:
    """How much of wall time x cores the jobs finished since `started` spent in training and generation.

    Empty where no job finished, and on a cluster, which has no `cores` of its own.
    """
    if cores is None:
        return ""
    spent, benchmarks = dict.fromkeys((*COMPUTE, "other"), 0.0), Path(benchmarks)
    for path in benchmarks.rglob("*.tsv"):
        if path.stat().st_mtime >= started:
            with open(path) as file:
                rule = path.relative_to(benchmarks).parts[0]
                seconds = sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
                spent[rule if rule in COMPUTE else "other"] += seconds
    if not any(spent.values()):
        return ""
    wall = time.time() - started
    share = 100 * sum(spent[rule] for rule in COMPUTE) / (wall * cores)
    parts = ", ".join(f"{rule} {seconds:.0f} s" for rule, seconds in spent.items())
    of = "of wall time x cores in training and generation"
    return f"{wall:.0f} s on {cores} core(s): {share:.0f} % {of} ({parts})"


def hold(lock: str = ".snakemake.lock") -> None:
    """Keep the lock that `make` waits for, and takes for a sign that what else is locked is stale, while this runs.

    Where `make` started this process it holds the lock already.
    """
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)  # open until the process ends
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def fail(error: UserError) -> None:
    """End Snakemake's parsing with one line instead of a traceback."""
    sys.stdout.flush()
    print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    os._exit(2)
