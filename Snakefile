# One command: `snakemake --cores all --use-conda`; `extended` has more. Plots alone: `snakemake figures/`.
#
#   [prompts -> teach ->] data -> train -> generate -> score -> analyse -> tables, figures -> report
#              train -> suite, converse -> general
#
# What is asked (arms, seeds, budgets) stands in experiments/; workflow/rules/ says what depends on what.
import os
import sys
import time
from pathlib import Path

from snakemake.utils import min_version

from uniapl.config import names
from uniapl.config.repository import mark_results
from uniapl.dag import environment, targets
from uniapl.dag import snakemake as flow
from uniapl.dag.wildcards import Wildcards, of_seeds, of_seeds_and_decodings
from uniapl.data import hub

min_version("9.27")

STARTED = time.time()
RUNS, PLOTS_ONLY = flow.prepare(workflow, config)  # a mistake ends it here, with one line
SCALE, JOB = RUNS.scale.name, Wildcards(RUNS)
ENVIRONMENT = environment.conda_of(RUNS.scale)  # of every rule under --use-conda


wildcard_constraints:
    scale=SCALE,
    split="test|validation",
    arm="[a-z0-9_]+",
    seed=r"\d+",
    seeds=r"\d+(_\d+)*",  # of the checkpoints that one process evaluates
    decoding="greedy|sampled",
    experiment="[a-z0-9_]+",
    set="(published|local)/[a-z0-9_]+",
    extended="(_extended)?",


localrules:
    all,
    extended,


rule all:
    default_target: True
    input:
        [] if PLOTS_ONLY else targets.whole_set(RUNS, extended=False),


rule extended:
    input:
        [] if PLOTS_ONLY else targets.whole_set(RUNS, extended=True),


if not PLOTS_ONLY:

    include: f"workflow/rules/data_{RUNS.scale.kind}.smk"
    include: "workflow/rules/train.smk"
    include: "workflow/rules/evaluate.smk"
    include: "workflow/rules/evidence.smk"


include: "workflow/rules/figures.smk"


onstart:
    flow.hold_run_lock()
    if not PLOTS_ONLY:
        flow.wait_for_orphans()
        mark_results(Path("results/local") / SCALE)
        flow.show_progress(log, RUNS)


onerror:
    print(
        "something failed: `uniapl status` says what and why; the same command continues",
        file=sys.stderr,
    )


onsuccess:
    share = flow.compute_share(
        f"results/local/{SCALE}/timings", STARTED, workflow.resource_settings.cores
    )
    told = [flow.drawn()] if PLOTS_ONLY else [share, flow.where_to_look(RUNS)]
    lines = list(filter(None, told))
    if lines:
        print("\n".join(lines), file=sys.stderr)
