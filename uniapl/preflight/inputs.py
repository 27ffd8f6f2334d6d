"""Checks of what a scale reads: models and data sets of the hub, POLAR, prompts, the suite, the plan, the order."""

import subprocess
import sys
import tempfile
from pathlib import Path

from uniapl.config.runs import Runs
from uniapl.config.suites import SUITES
from uniapl.costs.cpu import CpuEstimate
from uniapl.costs.estimate import Estimate
from uniapl.data import hub
from uniapl.data.public import if_multi_constraints, prepare
from uniapl.discriminators import polar
from uniapl.errors import UserError
from uniapl.generate import suite
from uniapl.models import gguf
from uniapl.models.checkpoints import load_tokenizer
from uniapl.preflight.finding import Finding
from uniapl.provenance import ROOT
from uniapl.train.fetch import link


def models(runs: Runs) -> list[str]:
    """The hub ids of the scale's checkpoints, the teacher among them; none where they are own folders or files."""
    fetched = [runs.run(arm, 0).settings.model for arm in runs.fetched if arm in runs.shared]
    teacher = [runs.scale.world.teacher.model] if runs.scale.kind == "public" else []
    ids = [model for model in dict.fromkeys(fetched + teacher) if not gguf.is_gguf(model)]
    return [model for model in ids if hub.own_folder(model) is None]


def files(runs: Runs) -> Finding:
    """The GGUF files of the scale's checkpoints are here, with their hash, and can be read."""
    fetched = [runs.run(arm, 0).settings.model for arm in runs.fetched if arm in runs.shared]
    named = [model for model in fetched if gguf.is_gguf(model)]
    for model in named:
        gguf.read_metadata(gguf.file_of(model)[0])
    return Finding("files", True, ", ".join(named) or "no GGUF file is asked for")


def data_sets(runs: Runs) -> list[str]:
    """The hub ids of the scale's prompts."""
    if runs.scale.kind != "public":
        return []
    return [if_multi_constraints.ID, *(module.ID for module in prepare.EVALUATIONS.values()), prepare.multi_if.ID]


def pinned(runs: Runs) -> Finding:
    """Every id at one revision."""
    wanted = [*models(runs), *data_sets(runs)]
    loose = [id for id in wanted if hub.entry(id).revision is None]
    seen = f"not pinned: {', '.join(loose)}" if loose else f"{len(wanted)} ids"
    return Finding("pinned", not loose, seen, f"python -m uniapl hub pin {loose[0]}" if loose else "")


def here(id: str) -> Path | None:
    """The folder of an id, None where it is not complete here."""
    try:
        return hub.folder(id)
    except UserError:
        return None


def fetched(runs: Runs) -> Finding:
    """Every file of every id is in the cache, or in the folder that stands for the hub."""
    wanted = [*models(runs), *data_sets(runs)]
    absent = [id for id in wanted if here(id) is None]
    seen = f"not here: {', '.join(absent)}" if absent else f"{len(wanted)} ids"
    return Finding("fetched", not absent, seen, f"python -m uniapl hub fetch {' '.join(absent)}" if absent else "")


def discriminator(runs: Runs) -> Finding:
    """POLAR's tokenizer and the shapes of its weights."""
    arm = runs.scale.discriminator
    if arm is None or not arm.is_fetched:
        return Finding("discriminator", True, "none is fetched")
    folder = hub.folder(arm.changes["model"])
    polar.check(folder)
    return Finding("discriminator", True, f"{folder.name}: tokenizer and shapes")


def student(runs: Runs, folder: Path) -> Path | None:
    """The base as stage fetch makes it, in `folder`: None where none is fetched."""
    if "base" not in runs.fetched:
        return None
    settings = runs.run("base", 0).settings
    link(hub.own_folder(settings.model) or hub.folder(settings.model), folder / "student", settings.context)
    return folder / "student"


def room(runs: Runs) -> tuple[int, int]:
    """(tokens that training prompts may have, tokens of the longest answer of any stage that reads them)."""
    settings = [runs.run(arm, 0).settings for arm in runs.arms]
    answers = [getattr(one, "max_new_tokens", 0) for one in settings]
    return runs.scale.world.prompt_tokens, max(*answers, runs.scale.evaluation.max_new_tokens)


def prompts(runs: Runs) -> Finding:
    """Enough training prompts within the student's tokens, and every test prompt within its context."""
    if runs.scale.kind != "public":
        return Finding("prompts", True, "made here")
    world, (most, answer) = runs.scale.world, room(runs)
    with tempfile.TemporaryDirectory() as folder:
        base = student(runs, Path(folder))
        context = load_tokenizer(base).model_max_length
        rows = prepare.distinct(if_multi_constraints.read(hub.folder(if_multi_constraints.ID)).rows)
        fitting = sum(length <= most for length in prepare.lengths(rows, base))
        tested = [row for name in prepare.EVALUATIONS.values() for row in name.read(hub.folder(name.ID))]
        longest = max(prepare.lengths(tested, base))
    seen = f"{fitting} of {len(rows)} within {most} tokens; test prompts to {longest}; context {context}"
    wanted = world.train + world.validation
    if fitting < wanted:
        remedy = f"{wanted} are asked for: raise world.prompt_tokens, or lower world.train"
        return Finding("prompts", False, seen, remedy)
    if max(most, longest) + answer > context:
        return Finding("prompts", False, seen, f"an answer has {answer} tokens: raise the context of the scale's base")
    return Finding("prompts", True, seen)


def benchmarks(runs: Runs) -> Finding:
    """Every data set of the general suite loads."""
    asked = suite.tasks_that_may_run(SUITES[runs.scale.suite], run_code=False)
    suite.check_data(asked, suite.task_manager(asked))
    return Finding("suite", True, f"{len(asked)} benchmarks load")


def memory(estimate: Estimate | CpuEstimate) -> Finding:
    """The plan, with padded and with the longest rows, fits the GPUs; without GPUs this machine's memory."""
    lines = estimate.does_not_fit
    seen = lines[0] if lines else f"{max(sum(p.values()) for p in estimate.peaks.values()) / 1e9:.1f} GB at most"
    remedy = f"{len(lines)} in all: uniapl plan --scale {estimate.runs.scale.name}" if lines else ""
    return Finding("memory", not lines, seen, remedy)


def order(runs: Runs) -> Finding:
    """The general suite waits for the teacher, whose job needs all GPUs: by what Snakemake would run before it."""
    scale = runs.scale.name
    if runs.scale.kind != "public" or not runs.general:
        return Finding("order", True, "no teacher, or no suite")
    if (ROOT / f"results/local/{scale}/data/summary.json").is_file():
        return Finding("order", True, "the teacher has answered")
    target = f"results/local/{scale}/suite/base/seed0.csv"
    command = [sys.executable, "-m", "snakemake", "-n", "--nolock", "--config", f"scale={scale}", "--", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1]
        return Finding("order", False, last, "snakemake -n says more")
    passed = "rule teach:" in done.stdout + done.stderr
    remedy = "let rule suite wait for data/summary.json (workflow/rules/evaluate.smk)"
    seen = "the suite waits for the teacher" if passed else "the suite may hold GPUs that the teacher waits for"
    return Finding("order", passed, seen, "" if passed else remedy)
