"""The command `uniapl STAGE ...`, or `python -m uniapl STAGE ...`: a stage of the DAG, or a tool beside it."""

import difflib
import importlib
import os
import sys
import time

STARTED = time.monotonic()
MEASURE = "UNIAPL_MEASURE"  # where set, as in every job of the DAG, a stage ends with a line about what it used

STAGES = {  # command: its module, whose main(argv) it calls, and what it does
    "data": ("uniapl.data.__main__", "write the prompts and demonstrations of a world: miniature, public, files"),
    "prompts": ("uniapl.data.public.__main__", "fetch published prompts, without those that overlap with a test set"),
    "teach": ("uniapl.data.teach.__main__", "collect a teacher's accepted answers to prompts"),
    "fetch": ("uniapl.train.fetch", "fetch a checkpoint at its pinned revision, as a run"),
    "train": ("uniapl.train.__main__", "train one run: an arm at a seed"),
    "generate": ("uniapl.generate.__main__", "let checkpoints answer prompts"),
    "score": ("uniapl.scorers.command", "score responses by IFEval's rules; also files that were made elsewhere"),
    "suite": ("uniapl.generate.suite", "ask general benchmarks through lm-eval"),
    "converse": ("uniapl.generate.converse", "hold Multi-IF's conversations of three turns"),
    "general": ("uniapl.tables.general", "write the table of general benchmarks"),
    "analyse": ("uniapl.analyse.__main__", "compute an experiment's statistics from scored responses"),
    "tables": ("uniapl.tables.__main__", "render an experiment's statistics as CSV, Markdown and LaTeX"),
    "overview": ("uniapl.tables.overview", "write the tables over all experiments, and all verdicts"),
    "beside": ("uniapl.tables.beside", "write local results beside the published ones"),
    "report": ("uniapl.report.__main__", "write one HTML page about a set of results"),
    "publish": ("uniapl.publish.__main__", "make a finished run a published set"),
    "take": ("uniapl.publish.take", "take the trainings of a partial set as done, to continue a run here"),
    "verify": ("uniapl.publish.verify", "compute a published set's tables again from its rows"),
    "renew": ("uniapl.publish.renew", "write a published set's tables anew from its rows"),
    "plan": ("uniapl.costs.__main__", "print what a scale costs: GPU-hours, memory, tokens, disk"),
    "preflight": ("uniapl.preflight.__main__", "say what this machine lacks for a scale; train its first steps"),
    "hub": ("uniapl.data.hub", "list what is pinned of the hub, pin it, or fetch it"),
    "lease": ("uniapl.dag.lease", "run a command on GPUs that no other lease has"),
}


def usage() -> str:
    """What `uniapl --help` prints."""
    lines = [f"  {name:<10}{does}" for name, (_, does) in STAGES.items()]
    return "\n".join(
        ["usage: uniapl COMMAND ...", "", *lines, "", "`uniapl COMMAND --help` says more. The whole DAG: snakemake."]
    )


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
    try:
        importlib.import_module(STAGES[name][0]).main(rest)
    finally:
        if os.environ.get(MEASURE):
            from uniapl.provenance import used

            print(used(STARTED), file=sys.stderr)


if __name__ == "__main__":
    main()
