"""Snakemake's own objects, adapted: the choice of a scale, the machine it runs on, the lock, the exit. No torch."""

import csv
import fcntl
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

from uniapl.__main__ import MEASURE, STAGES
from uniapl.config import Compute, Scale, choose, load_scale
from uniapl.config.load import scales_of_repository
from uniapl.config.repository import check_results, choose_repository
from uniapl.config.resources import Resources
from uniapl.config.runs import Runs
from uniapl.costs import jobs
from uniapl.dag import environment, lease, runlog, status
from uniapl.errors import UserError
from uniapl.locks import lock

# --config NAME=URL, who answers in the place of a model of our own, and NAME of who hears of trainings: variable of a
# command, its option
SERVERS = {
    "teacher": ("UNIAPL_TEACHER", "--endpoint"),
    "polar": ("UNIAPL_SERVERS", "--polar"),
    "rollouts": ("UNIAPL_SERVERS", "--rollouts"),
    "report_to": ("UNIAPL_SERVERS", "--report-to"),
}
CONFIG_KEYS = ("scale", "repository", *SERVERS)
MALLOC = {  # glibc: keep freed tensors instead of returning their pages; one run: a twentieth less CPU time
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "16000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
TARGETS = ("all", "extended", "tuning", "publish")  # words that Snakemake takes, beside files
COMPUTE = ("train", "generate")  # the rules whose time is the experiment; all else is overhead
RUN_LOCK, JOBS_LOCK = ".snakemake.lock", ".snakemake.jobs.lock"
# Bash as Snakemake sets it, and a shared lock that the job's last process gives back at its end, however it ends.
# Where flock is missing, or a file system has no locks (uniapl/locks.py), a job runs without.
JOB_PREFIX = f"set -euo pipefail; exec 9>>{JOBS_LOCK}; flock --shared 9 2>/dev/null || true; "


def prepare(workflow, config: dict) -> tuple[Runs, bool]:
    """The runs that this command line is about, and whether it asks for figures alone. Ends Snakemake on a mistake.

    Prints what the run is, and why; limits what runs at a time to this machine's GPUs; sets the environment of jobs.
    """
    alone = or_exit(plots_only, sys.argv[1:])
    or_exit(check_writable, Path.cwd())
    scale, reason = or_exit(choose_scale, config)
    runs = Runs(scale)
    if not alone:
        or_exit(runs.check)
        or_exit(check_targets, runs, _parsed(sys.argv[1:]).targets)
        or_exit(check_results, Path("results/local") / scale.name)
        or_exit(limit_gpus, workflow, runs)
        if workflow.is_main_process and not _parsed(sys.argv[1:]).dryrun:
            or_exit(environment.check_vllm, scale, uses_conda(workflow.deployment_settings))
        print(announce(runs, reason, capacity(workflow.resource_settings)), file=sys.stderr, flush=True)
    set_environment(runs, config)
    hold_jobs_lock()
    if ignore_missing_conda(workflow.deployment_settings):
        print("no conda executable: --use-conda ignored, rules run in the active environment", file=sys.stderr)
    return runs, alone


def check_writable(folder: Path) -> None:
    """Raise UserError where Snakemake, which keeps its records in the folder, could not write there."""
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder}: cannot be written: copy the checkout to a folder that can, and run it there")


def set_environment(runs: Runs, config: dict) -> None:
    """What every job finds: the allocator's settings, that it shall say what it used, whether it may ask a hub, and the
    servers of --config.

    A server, or who hears of a training, is no parameter of a rule: with another one results are the same.
    Jobs keep the bytecode that they compile: where an image forbids it, each would compile its imports anew, for two
    thirds of its start (24 CPU seconds of a trainer's imports were 8 the second time).
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name, value in {**MALLOC, "TOKENIZERS_PARALLELISM": "false", MEASURE: "1"}.items():
        os.environ.setdefault(name, value)
    if runs.scale.kind == "miniature":
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a miniature world needs no hub, and must not ask one
    for variable in {variable for variable, _ in SERVERS.values()}:
        options = [
            f"{option} {config[name]}" for name, (v, option) in SERVERS.items() if v == variable and name in config
        ]
        os.environ[variable] = " ".join(options)


def announce(runs: Runs, reason: str, capacity: str) -> str:
    """The first line of a run: which scale, why, how many jobs its two targets are, and how long `all` takes."""
    count = {target: sum(jobs.by_stage(runs, getattr(runs, target)).values()) for target in ("default", "extended")}
    return (
        f"scale {runs.scale.name} ({reason}): {count['default']} jobs in all, {runs.scale.minutes} "
        f"on {runs.scale.hardware}; {count['extended']} in extended; this run has {capacity}"
    )


def choose_scale(config: dict) -> tuple[Scale, str]:
    """The scale of `--config scale=...`, and why; without it, paper where an NVIDIA GPU is visible, else tiny.

    With `repository=...` it is one of that repository's own, so that results of both never lie in one folder.
    """
    for key in config:
        choose("--config key", key, CONFIG_KEYS)
    choose_repository(config.get("repository"))
    if "repository" in config and "scale" not in config:
        raise UserError(f"repository={config['repository']}: name one of its scales too, with scale=NAME")
    if "repository" in config:
        choose("scale", str(config["scale"]), scales_of_repository())
    if "scale" in config:
        return load_scale(str(config["scale"])), "asked for"
    if lease.devices():
        return load_scale("paper"), "an NVIDIA GPU is visible"
    return load_scale("tiny"), "no NVIDIA GPU is visible"


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
        figure_targets = ", ".join(figures)
        raise UserError(f"ask for {figure_targets} alone, or for {', '.join(others)} alone: figures never train")
    return bool(figures)


def check_targets(runs: Runs, asked: list[str]) -> None:
    """Raise UserError for a target that is the name of an experiment or of a stage, with what to type instead."""
    results = f"results/local/{runs.scale.name}"
    for target in asked:
        if target in runs.experiments and target not in TARGETS:
            raise UserError(f"{target}: is an experiment; its tables are the target {results}/tables/{target}/main.md")
        if target in STAGES and target in jobs.by_stage(runs, runs.extended):
            raise UserError(f"{target}: is a stage: `--until {target}` ends a run with it; targets are its files")


def uses_conda(deployment_settings) -> bool:
    """Whether rules run in environments of conda: asked for, and there is one."""
    from snakemake.settings.types import DeploymentMethod

    methods = deployment_settings.deployment_method if deployment_settings else ()
    return DeploymentMethod.CONDA in methods and shutil.which("conda") is not None


def ignore_missing_conda(deployment_settings) -> bool:
    """Where no conda executable exists, drop `--use-conda`, so that rules run in the active environment.

    Returns whether it was dropped. `deployment_settings` is Snakemake's own object (pinned, >=9.27,<10).
    """
    from snakemake.settings.types import DeploymentMethod

    if deployment_settings is None or DeploymentMethod.CONDA not in deployment_settings.deployment_method:
        return False
    if uses_conda(deployment_settings):
        return False
    methods = set(deployment_settings.deployment_method) - {DeploymentMethod.CONDA}
    deployment_settings.deployment_method = methods
    return True


def capacity(resource_settings) -> str:
    """What a run has to work with: the cores of this machine, or so many jobs at a time, as on a cluster."""
    if resource_settings.nodes is not None:
        return f"at most {resource_settings.nodes} job(s) at a time"
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


def suite_backend(compute: Compute) -> str:
    """Who answers general benchmarks: as the scale evaluates, by the engine where that is what it computes with."""
    return "engine" if compute.engine and compute.evaluate == "transformers" else compute.evaluate


def resources_of(runs: Runs, stage: str, *, served: bool = False) -> dict:
    """What jobs of the stage ask for, as `request`; no GPUs where a server elsewhere does what they are for."""

    def needs(wildcards) -> Resources:
        resources = runs.needs(stage, getattr(wildcards, "arm", ""))
        return replace(resources, gpus=0) if served else resources

    return request(needs)


def one_at_a_time(workflow, config: dict) -> dict:
    """A resource that one training has at a time, where all would write their weights into one server of rollouts."""
    if "rollouts" not in config:
        return {}
    if workflow.is_main_process:
        workflow.register_resource("rollouts_server", 1)
    return {"rollouts_server": 1}


def leased(command: str) -> str:
    """The shell command of a job that may compute on a GPU: it runs on those that no other job has."""
    lease = "python -m uniapl lease -n {resources.gpu} --asked {resources.gpus_asked} --"
    return f"OMP_NUM_THREADS={{threads}} {lease} {command}"


def any_of(names: Iterable[str]) -> str:
    """The wildcard constraint that lets these names through, and nothing where there are none."""
    return "|".join(names) or "(?!)"


def limit_gpus(workflow, runs: Runs) -> None:
    """Let jobs of this machine use its GPUs at a time and no more, unless a profile or the command line says how many.

    `workflow` is Snakemake's own object (pinned, >=9.27,<10). Its children and jobs of a cluster are left alone. Raises
    UserError where the scale needs a GPU and there is none, but for a dry run.
    """
    here = workflow.is_main_process and workflow.resource_settings.nodes is None
    if not here or "gpu" in workflow.global_resources:
        return
    needed = max((needs.gpus for needs in runs.scale.resources.values()), default=0)
    n_gpus = len(lease.devices()) if needed else 0
    if needed and not n_gpus and not _parsed(sys.argv[1:]).dryrun:
        raise UserError(
            f"scale {runs.scale.name} needs {needed} GPU(s) and none is visible: run it where `nvidia-smi -L` lists "
            "one, on a cluster with --workflow-profile profiles/slurm, or choose --config scale=tiny"
        )
    workflow.register_resource("gpu", n_gpus)


def compute_share(benchmarks: str | Path, started: float, cores: int | None) -> str:
    """How much of wall time x cores the jobs finished since `started` spent in training and generation.

    Empty where no job finished, and on a cluster, which has no `cores` of its own.
    """
    if cores is None:
        return ""
    spent, benchmarks = dict.fromkeys((*COMPUTE, "other"), 0.0), Path(benchmarks)
    for path in benchmarks.rglob("*.tsv"):
        if path.stat().st_mtime >= started:
            with open(path, encoding="utf-8") as file:
                rule = path.relative_to(benchmarks).parts[0]
                seconds = sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
                spent[rule if rule in COMPUTE else "other"] += seconds
    if not any(spent.values()):
        return ""
    wall = time.time() - started
    share = 100 * sum(spent[rule] for rule in COMPUTE) / (wall * cores)
    parts = ", ".join(f"{rule} {seconds:.0f} s" for rule, seconds in spent.items())
    explanation = "of wall time x cores in training and generation"
    return f"{wall:.0f} s on {cores} core(s): {share:.0f} % {explanation} ({parts})"


class Progress(logging.Handler):
    """Prints a line about the whole DAG when a job ends, at most every EVERY seconds, and appends it to `file`."""

    EVERY = 10

    def __init__(self, log: Path, file: Path):
        super().__init__()
        self.log, self.file, self.last = log, file, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) != LogEvent.PROGRESS:
            return
        now, done = time.time(), record.done == record.total
        if now - self.last < self.EVERY and not done:
            return
        self.last = now
        run = runlog.read(self.log.read_text(encoding="utf-8", errors="replace"))
        line = runlog.line(run, now, status.seconds_before(Path("."), run.scale), status.left_of(run, Path(".")))
        print(line, file=sys.stderr, flush=True)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))} {line}\n")


def show_progress(logs: list[str], runs: Runs) -> None:
    """Let `Progress` read the run's log; nothing where Snakemake writes none."""
    from snakemake.logging import logger

    for log in logs:
        logger.addHandler(Progress(Path(log), Path("results/local") / runs.scale.name / "progress.log"))


def where_to_look(runs: Runs, results: Path = Path("results/local")) -> str:
    """A run's last lines: where its results are, and what to do next. Empty where it made no report."""
    name = runs.scale.name
    reports = [path for path in sorted((results / name).glob("report*.html")) if path.stat().st_size]
    if not reports:
        return ""
    lines = [f"report   {path} (claims first; opens in any browser)" for path in reports]
    lines.append(f"tables   {results / name}/tables/*/main.md (.csv, .tex), {results / name}/overview/paper.md")
    lines.append(f"figures  figures/out/local/{name}/*.pdf")
    if len(reports) < 2:
        lines.append(f"next     snakemake --cores all --config scale={name} -- extended: the experiments for reviewers")
    lines.append(f"next     snakemake --config scale={name} -- publish: a set that others can verify and cite")
    return "\n".join(lines)


def drawn(figures: Path = Path("figures/out")) -> str:
    """The last line of a run that drew figures alone: how many, and where."""
    folders = sorted({path.parent for path in figures.rglob("*.pdf")})
    return "\n".join(f"figures  {len(list(folder.glob('*.pdf')))} in {folder}" for folder in folders)


def hold_run_lock(path: str = RUN_LOCK) -> None:
    """Hold the lock that `make` waits for, until this process ends; shared, so that runs side by side all hold it.

    While nobody holds it, `make` treats other locks of Snakemake as stale. Where `make` started this process, it holds
    the lock already.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # open until the process ends
    lost = "start no second run in this folder, neither `make` nor `uniapl status` sees this one"
    lock(file, path, lost, fcntl.LOCK_SH)


def or_exit(function: Callable, *arguments):
    """What the function returns; where it raises UserError, Snakemake's parsing ends with one line, no traceback."""
    try:
        return function(*arguments)
    except UserError as error:
        sys.stdout.flush()
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        os._exit(2)


def hold_jobs_lock() -> None:
    """Let every job's shell, and what it starts, share a lock that `wait_for_orphans` asks for."""
    from snakemake.shell import shell

    shell.prefix(JOB_PREFIX)


def wait_for_orphans(path: str = JOBS_LOCK) -> None:
    """Wait until no job of an earlier run lives: of a Snakemake that was killed, they go on and write their files."""
    with open(path, "a", encoding="utf-8") as file:
        if not lock(file, path, "after a kill end its jobs by hand, no run waits for them"):
            print(
                "jobs of a run that was killed are still at work: waiting for them to end", file=sys.stderr, flush=True
            )
            fcntl.flock(file, fcntl.LOCK_EX)
