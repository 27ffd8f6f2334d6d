"""The command `uniapl STAGE ...`, or `python -m uniapl STAGE ...`: a stage of the DAG, or a tool beside it."""

import difflib
import importlib
import os
import sys
import time
from typing import NamedTuple

STARTED = time.monotonic()
MEASURE = "UNIAPL_MEASURE"  # where set, as in every job of the DAG, a stage ends with a line about what it used


class Command(NamedTuple):
    """Its module, whose `main(argv)` is called; what it does; one command line that works as typed."""

    module: str
    does: str
    example: str


STAGES = {
    "data": Command(
        "uniapl.data.__main__",
        "write the prompts and demonstrations of a world: miniature, everyday, public, files",
        "miniature --scale smoke --out results/local/smoke/data",
    ),
    "prompts": Command(
        "uniapl.data.public.__main__",
        "fetch published prompts, without those that overlap with a test set",
        "--out results/local/paper/prompts --train 8192 --validation 256",
    ),
    "teach": Command(
        "uniapl.data.teach.__main__",
        "collect a teacher's accepted answers to prompts",
        "--scale paper --prompts results/local/paper/prompts/train_prompts.jsonl --out teacher.jsonl",
    ),
    "fetch": Command(
        "uniapl.train.fetch",
        "fetch a checkpoint at its pinned revision, as a run",
        "--scale paper --arm base --out results/local/paper/train/base/seed0",
    ),
    "train": Command(
        "uniapl.train.__main__",
        "train one run: an arm at a seed",
        "--scale tiny --arm grpo --seed 0 --data results/local/tiny/data "
        "--start results/local/tiny/train/base/seed0/model --out grpo",
    ),
    "generate": Command(
        "uniapl.generate.__main__",
        "let checkpoints answer prompts",
        "--scale tiny --checkpoint results/local/tiny/train/grpo/seed0/model "
        "--base results/local/tiny/train/base/seed0/model --prompts results/local/tiny/data/test.jsonl --out answers",
    ),
    "score": Command(
        "uniapl.scorers.command",
        "score responses by IFEval's rules; also files that were made elsewhere",
        "--list --family ifeval",
    ),
    "suite": Command("uniapl.generate.suite", "ask general benchmarks through lm-eval", ""),
    "converse": Command(
        "uniapl.generate.converse",
        "hold Multi-IF's conversations of three turns",
        "--conversations multiIF_20241018.csv --model results/local/tiny/train/grpo/seed0/model --out answers.jsonl",
    ),
    "general": Command(
        "uniapl.tables.general",
        "write the table of general benchmarks",
        "--root results/local/tiny --out results/local/tiny/general",
    ),
    "analyse": Command(
        "uniapl.analyse.__main__",
        "compute an experiment's statistics from scored responses",
        "--root results/local/tiny --experiment headline --out results/local/tiny/analyse/headline",
    ),
    "tables": Command(
        "uniapl.tables.__main__",
        "render an experiment's statistics as CSV, Markdown and LaTeX",
        "--analysis results/published/tiny/analyse/headline --out tables",
    ),
    "overview": Command(
        "uniapl.tables.overview",
        "write the tables over all experiments, and all verdicts",
        "--root results/published/tiny --out overview",
    ),
    "beside": Command(
        "uniapl.tables.beside",
        "write local results beside the published ones",
        "--local results/local/tiny --published results/published/tiny --out beside",
    ),
    "again": Command(
        "uniapl.tables.again",
        "write the verdicts of sets with other seeds side by side, and how well each predicts the others",
        "results/published/tiny PATH/OF/ANOTHER/tiny --out again",
    ),
    "report": Command(
        "uniapl.report.__main__",
        "write one HTML page about a set of results",
        "--results results/published/tiny --figures figures/out/published/tiny --out tiny.html",
    ),
    "publish": Command("uniapl.publish.__main__", "make a finished run a published set", "--scale tiny"),
    "take": Command(
        "uniapl.publish.take",
        "take the trainings of a partial set as done, to continue a run here",
        "results/published/small",
    ),
    "verify": Command(
        "uniapl.publish.verify", "compute a published set's tables again from its rows", "results/published/tiny"
    ),
    "compare": Command(
        "uniapl.publish.compare",
        "hold published sets against each other, paired by prompt",
        "results/published/tiny PATH/OF/ANOTHER/SET --arms uniapl grpo",
    ),
    "export": Command(
        "uniapl.publish.exports.command",
        "write a published set as lm-eval, Every Eval Ever, Hugging Face or Croissant have it",
        "results/published/tiny --form every-eval-ever --out exported",
    ),
    "push": Command(
        "uniapl.publish.push",
        "put a checkpoint with its model card into a folder or a hub repository; says first what it would do",
        "results/local/tiny/train/uniapl/seed0 --to pushed",
    ),
    "renew": Command(
        "uniapl.publish.renew", "write a published set's tables anew from its rows", "results/published/tiny"
    ),
    "plan": Command(
        "uniapl.costs.__main__",
        "print what a scale costs: hours, memory, tokens, disk",
        "--scale paper --gpus 8 --gpu h100",
    ),
    "rates": Command(
        "uniapl.costs.measure",
        "measure what this machine's CPU does with a scale's policy, for its plan",
        "--scale small",
    ),
    "preflight": Command(
        "uniapl.preflight.__main__",
        "say what this machine lacks for a scale; train its first steps",
        "--scale paper --gpus 8 --gpu h100",
    ),
    "status": Command("uniapl.dag.status", "say what a run is doing, what failed, and how long the rest takes", ""),
    "hub": Command("uniapl.data.hub", "list what is pinned of the hub, pin it, or fetch it", "list"),
    "lease": Command("uniapl.dag.lease", "run a command on GPUs that no other lease has", "-n 0 -- python --version"),
}
EXIT_CODES = """exit codes:
  0    done
  1    what was asked about is not so: differences, what does not fit, a check that failed
  2    a mistake, which is one line; nothing was overwritten
  141  who read the output has gone, as after `| head`"""


def usage() -> str:
    """What `uniapl --help` prints."""
    lines = [f"  {name:<10}{command.does}" for name, command in STAGES.items()]
    more = "`uniapl COMMAND --help` says more, with an example. The whole DAG: snakemake."
    return "\n".join(["usage: uniapl COMMAND ...", "", *lines, "", more, "", EXIT_CODES])


def example(name: str) -> str:
    """What `uniapl COMMAND --help` ends with."""
    return f"\nexample:\n  uniapl {name} {STAGES[name].example}".rstrip() + f"\n\n{EXIT_CODES}"


def main(argv: list[str] | None = None) -> None:
    """Hand over to a stage, with the rest of the command line. An unknown command is one line, and exit code 2."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return
    name, *rest = argv
    if name not in STAGES:
        near = difflib.get_close_matches(name, STAGES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`uniapl --help` lists all"
        print(f"error: unknown command {name!r}: {hint}", file=sys.stderr)
        raise SystemExit(2)
    sys.argv = [f"uniapl {name}", *rest]  # what argparse calls the program, and what processes of it repeat
    own = rest[: rest.index("--")] if "--" in rest else rest  # a lease hands what follows to another command
    try:
        importlib.import_module(STAGES[name][0]).main(rest)
    finally:
        if {"-h", "--help"}.intersection(own):
            print(example(name))
        if os.environ.get(MEASURE):
            from uniapl.provenance import used

            print(used(STARTED), file=sys.stderr)


if __name__ == "__main__":
    main()
