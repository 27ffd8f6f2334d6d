# One command: `snakemake --cores all --use-conda`; `extended` has more. Plots alone: `snakemake figures/`.
#
#   [prompts -> teach ->] data -> train -> generate -> score -> analyse -> tables, figures -> report
#              train -> suite, converse -> general
#
# What is asked (arms, seeds, budgets) stands in experiments/; this file only says what depends on what.
import os
import sys
import time

from snakemake.utils import min_version

from uniapl.data import hub
from uniapl.dag import snakemake as flow
from uniapl.errors import UserError

min_version("9.27")

STARTED = time.time()
for name, value in flow.MALLOC.items():
    os.environ.setdefault(name, value)
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
try:
    PLOTS_ONLY = flow.plots_only(sys.argv[1:])
    PLAN = flow.choose_scale(config)
    DRAWABLE = flow.drawable() if PLOTS_ONLY else []
    if not PLOTS_ONLY:
        PLAN.check()
        flow.limit_gpus(workflow, PLAN)
except UserError as error:
    flow.fail(error)
SCALE = PLAN.scale.name
if PLAN.scale.kind == "miniature":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a miniature world needs no hub, and must not ask one
if not PLOTS_ONLY:
    print(PLAN.announce(flow.capacity(workflow.resource_settings)), file=sys.stderr, flush=True)
if flow.ignore_missing_conda(workflow.deployment_settings):
    print("no conda executable: --use-conda ignored, rules run in the active environment", file=sys.stderr)


def tables_and_figures(experiments):
    """What a target asks of its experiments, at the scale of this run."""
    tables = "results/local/{scale}/tables/{experiment}/{table}.csv"
    figures = "figures/out/local/{scale}/{figure}.pdf"
    return [
        *expand(tables, scale=SCALE, experiment=experiments, table=flow.TABLES),
        f"results/local/{SCALE}/general/general.csv",
        *expand(figures, scale=SCALE, figure=flow.figures_of(experiments)),
    ]


def whole_set(extended):
    """What a target asks of all its experiments together."""
    names = [f"report{extended}.html", f"overview{extended}/claims.json"]
    names += [f"beside{extended}/beside.csv"] if PLAN.published else []
    return [f"results/local/{SCALE}/{name}" for name in names]


def folder(wildcards, run):
    """Where a run's checkpoint and card are."""
    return f"results/local/{wildcards.scale}/train/{run.arm}/seed{run.seed}"


def start(wildcards):
    """The folder of the checkpoint that a run starts from."""
    run = PLAN.run(wildcards.arm, wildcards.seed)
    return (
        f"{folder(wildcards, run.start)}/model"
        if run.start
        else f"results/local/{wildcards.scale}/data/scratch"
    )


def cards_before(wildcards):
    """The cards of the runs that a training needs: its start and, for every arm after the base, the probe's."""
    run = PLAN.run(wildcards.arm, wildcards.seed)
    if run.start is None:
        return []
    shared = [PLAN.run(arm.name, 0) for arm in PLAN.scale.shared]
    return [
        f"{folder(wildcards, before)}/run.json"
        for before in {r.arm: r for r in (*shared, run.start)}.values()
    ]


# Servers that --config names, for the rules' commands. No parameter of theirs: another host, the same results.
for variable, options in (
    ("UNIAPL_SERVERS", {"polar": "--polar", "rollouts": "--rollouts"}),
    ("UNIAPL_TEACHER", {"teacher": "--endpoint"}),
):
    named = [f"{option} {config[name]}" for name, option in options.items() if name in config]
    os.environ[variable] = " ".join(named)


def probe(wildcards):
    """The options that name the probe's base and discriminator; none for the arms that come before them."""
    if PLAN.run(wildcards.arm, wildcards.seed).start is None:
        return ""
    train = f"results/local/{wildcards.scale}/train"
    return f"--base {train}/base/seed0/model --discriminator {train}/discriminator/seed0/model"


wildcard_constraints:
    scale="[a-z0-9_]+",
    split="test|validation",
    arm="[a-z0-9_]+",
    seed=r"\d+",
    decoding="greedy|sampled",
    experiment="[a-z0-9_]+",
    set="(published|local)/[a-z0-9_]+",
    figure="|".join(flow.DRAWN),
    extended="(_extended)?",


localrules:
    all,
    extended,
    figure,
    figures,
    publish,


rule all:
    default_target: True
    input:
        [] if PLOTS_ONLY else tables_and_figures(PLAN.default),
        [] if PLOTS_ONLY else whole_set(""),


rule extended:
    input:
        [] if PLOTS_ONLY else tables_and_figures(PLAN.extended),
        [] if PLOTS_ONLY else whole_set("_extended"),


if not PLOTS_ONLY:

    if PLAN.scale.kind == "miniature":

        rule data:
            input:
                "uniapl/data/miniature/rows.py",
                "uniapl/data/miniature/world.py",
                "uniapl/data/miniature/writers.py",
                "uniapl/data/miniature/model.py",
            output:
                "results/local/{scale}/data/train.jsonl",
                "results/local/{scale}/data/validation.jsonl",
                "results/local/{scale}/data/test.jsonl",
                "results/local/{scale}/data/expert.jsonl",
                "results/local/{scale}/data/summary.json",
            log:
                "results/local/{scale}/logs/data.log",
            benchmark:
                "results/local/{scale}/benchmarks/data.tsv"
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("data").cores
            resources:
                **PLAN.request("data"),
            params:
                out="results/local/{scale}/data",
                world=str(PLAN.scale.world),
            shell:
                "python -m uniapl.data.miniature.rows --scale {wildcards.scale} --out {params.out} > {log} 2>&1"

    else:

        rule prompts:
            output:
                "results/local/{scale}/prompts/train_prompts.jsonl",
                "results/local/{scale}/prompts/validation_prompts.jsonl",
                "results/local/{scale}/prompts/test.jsonl",
                "results/local/{scale}/prompts/multi_if.jsonl",
                "results/local/{scale}/prompts/summary.json",
            log:
                "results/local/{scale}/logs/prompts.log",
            benchmark:
                "results/local/{scale}/benchmarks/prompts.tsv"
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("prompts").cores
            resources:
                **PLAN.request("prompts"),
            params:
                out="results/local/{scale}/prompts",
                world=PLAN.scale.world,
                revisions=hub.pinned(*(id for id, one in hub.lock().items() if one.kind == "dataset")),
            shell:
                "python -m uniapl.data.public --out {params.out} --train {params.world.train}"
                " --validation {params.world.validation} --seed {params.world.seed} > {log} 2>&1"

        rule teach:
            input:
                rules.prompts.output[:3],
            output:
                "results/local/{scale}/teach/demonstrations.summary.json",
            log:
                "results/local/{scale}/logs/teach.log",
            benchmark:
                "results/local/{scale}/benchmarks/teach.tsv"
            retries: 1
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("teach").cores
            resources:
                **PLAN.request("teach", served="teacher" in config),
            params:
                # not an output: an interrupted teacher keeps what it has answered
                out="results/local/{scale}/teach/demonstrations.jsonl",
                teacher=str(PLAN.scale.world.teacher),
                revision=hub.pinned(PLAN.scale.world.teacher.model),
            shell:
                "python -m uniapl.dag.lease -n {resources.gpu} --asked {resources.gpus_asked}"
                " -- python -m uniapl.data.teach --scale {wildcards.scale} --prompts {input} $UNIAPL_TEACHER"
                " --out {params.out} > {log} 2>&1"

        rule data:
            input:
                rules.prompts.output,
                rules.teach.output,
            output:
                "results/local/{scale}/data/train.jsonl",
                "results/local/{scale}/data/validation.jsonl",
                "results/local/{scale}/data/test.jsonl",
                "results/local/{scale}/data/expert.jsonl",
                "results/local/{scale}/data/summary.json",
            log:
                "results/local/{scale}/logs/data.log",
            benchmark:
                "results/local/{scale}/benchmarks/data.tsv"
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("data").cores
            resources:
                **PLAN.request("data"),
            params:
                prompts="results/local/{scale}/prompts",
                demonstrations="results/local/{scale}/teach/demonstrations.jsonl",
                out="results/local/{scale}/data",
            shell:
                "python -m uniapl.data.public.join --prompts {params.prompts} --demonstrations {params.demonstrations}"
                " --out {params.out} > {log} 2>&1"

        rule fetch:
            output:
                "results/local/{scale}/train/{arm}/seed{seed}/run.json",
                "results/local/{scale}/train/{arm}/seed{seed}/history.csv",
            log:
                "results/local/{scale}/logs/fetch/{arm}/seed{seed}.log",
            benchmark:
                "results/local/{scale}/benchmarks/fetch/{arm}/seed{seed}.tsv"
            wildcard_constraints:
                arm="|".join(PLAN.fetched),
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("fetch").cores
            resources:
                **PLAN.request("fetch"),
            params:
                out="results/local/{scale}/train/{arm}/seed{seed}",
                fingerprint=lambda wildcards: PLAN.run(wildcards.arm, wildcards.seed).fingerprint,
                revision=lambda wildcards: hub.pinned(PLAN.run(wildcards.arm, wildcards.seed).settings.model),
            shell:
                "python -m uniapl.train.fetch --scale {wildcards.scale} --arm {wildcards.arm} --out {params.out}"
                " > {log} 2>&1"

    rule train:
        input:
            "results/local/{scale}/data/summary.json",
            cards_before,
        output:
            "results/local/{scale}/train/{arm}/seed{seed}/run.json",
            "results/local/{scale}/train/{arm}/seed{seed}/history.csv",
        log:
            "results/local/{scale}/logs/train/{arm}/seed{seed}.log",
        benchmark:
            "results/local/{scale}/benchmarks/train/{arm}/seed{seed}.tsv"
        wildcard_constraints:
            arm="|".join(arm for arm in PLAN.arms if arm not in PLAN.fetched),
        priority: lambda wildcards: PLAN.waiting(wildcards.arm)
        retries: 1
        conda:
            "envs/uniapl.yaml"
        threads: lambda wildcards: PLAN.needs("train", wildcards.arm).cores
        resources:
            **PLAN.request("train"),
        params:
            data=lambda wildcards, input: os.path.dirname(input[0]),
            out="results/local/{scale}/train/{arm}/seed{seed}",
            start=start,
            probe=probe,
            fingerprint=lambda wildcards: PLAN.run(wildcards.arm, wildcards.seed).fingerprint,
        shell:
            "OMP_NUM_THREADS={threads} python -m uniapl.dag.lease -n {resources.gpu} --asked {resources.gpus_asked}"
            " -- python -m uniapl.train --scale {wildcards.scale}"
            " --arm {wildcards.arm} --seed {wildcards.seed} --data {params.data} --start {params.start}"
            " {params.probe} $UNIAPL_SERVERS --out {params.out} > {log} 2>&1"

    for (split, seeds), arms in PLAN.batches.items():
        batch = f"{split}_{'_'.join(map(str, seeds))}"

        rule:
            name:
                f"generate_{batch}"
            input:
                expand("results/local/{{scale}}/train/{{arm}}/seed{seed}/run.json", seed=seeds),
                "results/local/{scale}/train/base/seed0/run.json",
                prompts=f"results/local/{{scale}}/data/{split}.jsonl",
                expert="results/local/{scale}/data/expert.jsonl",
            output:
                expand(
                    "results/local/{{scale}}/generate/{split}/{{arm}}/seed{seed}/{file}.parquet",
                    split=split,
                    seed=seeds,
                    file=["greedy", "sampled", "logprobs"],
                ),
            log:
                f"results/local/{{scale}}/logs/generate/{batch}/{{arm}}.log",
            benchmark:
                f"results/local/{{scale}}/benchmarks/generate/{batch}/{{arm}}.tsv"
            wildcard_constraints:
                arm="|".join(arms),
            conda:
                "envs/uniapl.yaml"
            threads: lambda wildcards: PLAN.needs("generate", wildcards.arm).cores
            resources:
                **PLAN.request("generate"),
            params:
                checkpoints=expand("results/local/{{scale}}/train/{{arm}}/seed{seed}/model", seed=seeds),
                out=expand(
                    "results/local/{{scale}}/generate/{split}/{{arm}}/seed{seed}", split=split, seed=seeds
                ),
                base="results/local/{scale}/train/base/seed0/model",
                evaluation=str(PLAN.scale.evaluation),
                only=lambda wildcards: "--responses-only" if wildcards.arm in PLAN.comparators else "",
            shell:
                "OMP_NUM_THREADS={threads} python -m uniapl.dag.lease -n {resources.gpu} --asked {resources.gpus_asked}"
                " -- python -m uniapl.generate --scale {wildcards.scale}"
                " --checkpoint {params.checkpoints} --base {params.base} --prompts {input.prompts}"
                " --expert {input.expert} --out {params.out} {params.only} > {log} 2>&1"

        rule:
            name:
                f"score_{batch}"
            input:
                "uniapl/scorers/verdicts.py",
                flow.CHECKERS,
                prompts=f"results/local/{{scale}}/data/{split}.jsonl",
                responses=expand(
                    "results/local/{{scale}}/generate/{split}/{{arm}}/seed{seed}/{decoding}.parquet",
                    split=split,
                    seed=seeds,
                    decoding=["greedy", "sampled"],
                ),
            output:
                expand(
                    "results/local/{{scale}}/score/{split}/{{arm}}/seed{seed}/{decoding}.csv",
                    split=split,
                    seed=seeds,
                    decoding=["greedy", "sampled"],
                ),
            log:
                f"results/local/{{scale}}/logs/score/{batch}/{{arm}}.log",
            benchmark:
                f"results/local/{{scale}}/benchmarks/score/{batch}/{{arm}}.tsv"
            wildcard_constraints:
                arm="|".join(arms),
            conda:
                "envs/uniapl.yaml"
            threads: PLAN.needs("score").cores
            resources:
                **PLAN.request("score"),
            shell:
                "python -m uniapl.score --prompts {input.prompts} --responses {input.responses}"
                " --record --out {output} > {log} 2>&1"

    rule suite:
        input:
            "uniapl/generate/suite.py",
            "uniapl/generate/tasks/miniature.py",
            "results/local/{scale}/train/{arm}/seed{seed}/run.json",
        output:
            "results/local/{scale}/suite/{arm}/seed{seed}.csv",
        log:
            "results/local/{scale}/logs/suite/{arm}/seed{seed}.log",
        benchmark:
            "results/local/{scale}/benchmarks/checkers/{arm}/seed{seed}.tsv"
        priority: 1  # as a training: a table waits for it
        conda:
            "envs/uniapl.yaml"
        threads: lambda wildcards: PLAN.needs("suite", wildcards.arm).cores
        resources:
            **PLAN.request("suite"),
        params:
            suite=f"{PLAN.scale.suite} --backend {PLAN.scale.compute.evaluate}",
            model="results/local/{scale}/train/{arm}/seed{seed}/model",
        shell:
            "OMP_NUM_THREADS={threads} python -m uniapl.dag.lease -n {resources.gpu} --asked {resources.gpus_asked}"
            " -- python -m uniapl.generate.suite --suite {params.suite} --model {params.model}"
            " --out {output} > {log} 2>&1"

    if PLAN.converses:

        rule converse:
            input:
                "uniapl/generate/converse.py",
                "uniapl/scorers/multi_if.py",
                flow.CHECKERS,
                "results/local/{scale}/train/{arm}/seed{seed}/run.json",
                conversations="results/local/{scale}/prompts/multi_if.jsonl",
            output:
                responses="results/local/{scale}/converse/{arm}/seed{seed}.jsonl",
                rows="results/local/{scale}/converse/{arm}/seed{seed}.csv",
            log:
                "results/local/{scale}/logs/converse/{arm}/seed{seed}.log",
            benchmark:
                "results/local/{scale}/benchmarks/converse/{arm}/seed{seed}.tsv"
            priority: 1
            conda:
                "envs/uniapl.yaml"
            threads: lambda wildcards: PLAN.needs("converse", wildcards.arm).cores
            resources:
                **PLAN.request("converse"),
            params:
                backend=PLAN.scale.compute.evaluate,
                longest=PLAN.scale.evaluation.max_new_tokens,
                model="results/local/{scale}/train/{arm}/seed{seed}/model",
            shell:
                "OMP_NUM_THREADS={threads} python -m uniapl.dag.lease -n {resources.gpu} --asked {resources.gpus_asked}"
                " -- python -m uniapl.generate.converse --conversations {input.conversations} --model {params.model}"
                " --backend {params.backend} --max-new-tokens {params.longest}"
                " --out {output.responses} --rows {output.rows} > {log} 2>&1"

    rule general:
        input:
            "uniapl/tables/general.py",
            flow.STATISTICS,
            flow.RENDERING,
            expand("results/local/{{scale}}/suite/{arm}/seed0.csv", arm=flow.GENERAL),
            expand("results/local/{{scale}}/converse/{arm}/seed0.csv", arm=PLAN.converses),
        output:
            report(
                "results/local/{scale}/general/general.csv",
                caption="docs/captions/general.rst",
                category="tables",
                subcategory="general",
                labels={"table": "general"},
            ),
        log:
            "results/local/{scale}/logs/general.log",
        conda:
            "envs/uniapl.yaml"
        threads: PLAN.needs("tables").cores
        resources:
            **PLAN.request("tables"),
        params:
            root=lambda wildcards, output: os.path.dirname(os.path.dirname(output[0])),
            out=lambda wildcards, output: os.path.dirname(output[0]),
        shell:
            "python -m uniapl.tables.general --root {params.root} --out {params.out} > {log} 2>&1"

    rule analyse:
        input:
            flow.ANALYSES,
            "uniapl/analyse/claims.py",
            flow.STATISTICS,
            lambda wildcards: PLAN.paths(
                "results/local/{scale}/score/{split}/{arm}/seed{seed}/greedy.csv", wildcards.experiment
            ),
            lambda wildcards: PLAN.paths(
                "results/local/{scale}/score/{split}/{arm}/seed{seed}/sampled.csv", wildcards.experiment
            ),
        output:
            expand("results/local/{{scale}}/analyse/{{experiment}}/{table}.csv", table=flow.TABLES),
        log:
            "results/local/{scale}/logs/analyse/{experiment}.log",
        benchmark:
            "results/local/{scale}/benchmarks/analyse/{experiment}.tsv"
        conda:
            "envs/uniapl.yaml"
        threads: PLAN.needs("analyse").cores
        resources:
            **PLAN.request("analyse"),
        params:
            root="results/local/{scale}",
            out="results/local/{scale}/analyse/{experiment}",
        shell:
            "python -m uniapl.analyse --root {params.root} --experiment {wildcards.experiment}"
            " --out {params.out} > {log} 2>&1"

    rule tables:
        input:
            flow.RENDERING,
            expand("results/local/{{scale}}/analyse/{{experiment}}/{table}.csv", table=flow.TABLES),
        output:
            *(
                report(
                    f"results/local/{{scale}}/tables/{{experiment}}/{table}.csv",
                    caption="docs/captions/tables.rst",
                    category="tables",
                    subcategory="{experiment}",
                    labels={"table": table},
                )
                for table in flow.TABLES
            ),
        log:
            "results/local/{scale}/logs/tables/{experiment}.log",
        benchmark:
            "results/local/{scale}/benchmarks/tables/{experiment}.tsv"
        conda:
            "envs/uniapl.yaml"
        threads: PLAN.needs("tables").cores
        resources:
            **PLAN.request("tables"),
        params:
            analysis=lambda wildcards, input: os.path.dirname(input[-1]),
            out="results/local/{scale}/tables/{experiment}",
        shell:
            "python -m uniapl.tables --analysis {params.analysis} --out {params.out} > {log} 2>&1"

    rule overview:
        input:
            "uniapl/tables/overview.py",
            "uniapl/tables/ablations.py",
            "uniapl/tables/hyperparameters.py",
            "uniapl/tables/paper_claims.py",
            flow.RENDERING,
            lambda wildcards: expand(
                "results/local/{scale}/analyse/{experiment}/claims.csv",
                scale=wildcards.scale,
                experiment=PLAN.extended if wildcards.extended else PLAN.default,
            ),
        output:
            expand(
                "results/local/{{scale}}/overview{{extended}}/{file}",
                file=["paper.csv", "claims.csv", "ablations.csv", "settings.csv", "arms.csv", "claims.json"],
            ),
        log:
            "results/local/{scale}/logs/overview{extended}.log",
        conda:
            "envs/uniapl.yaml"
        threads: PLAN.needs("tables").cores
        resources:
            **PLAN.request("tables"),
        params:
            root="results/local/{scale}",
            out="results/local/{scale}/overview{extended}",
        shell:
            "python -m uniapl.tables.overview --root {params.root} --out {params.out} > {log} 2>&1"

    rule beside:
        input:
            "uniapl/tables/beside.py",
            flow.RENDERING,
            lambda wildcards: expand(
                "results/local/{scale}/analyse/{experiment}/main.csv",
                scale=wildcards.scale,
                experiment=PLAN.extended if wildcards.extended else PLAN.default,
            ),
            manifest=flow.PUBLISHED,
        output:
            "results/local/{scale}/beside{extended}/beside.csv",
        log:
            "results/local/{scale}/logs/beside{extended}.log",
        conda:
            "envs/uniapl.yaml"
        params:
            local="results/local/{scale}",
            published=lambda wildcards, input: os.path.dirname(input.manifest),
            out="results/local/{scale}/beside{extended}",
        shell:
            "python -m uniapl.tables.beside --local {params.local} --published {params.published}"
            " --out {params.out} > {log} 2>&1"

    rule report:
        input:
            flow.REPORTING,
            "results/local/{scale}/overview{extended}/ablations.csv",
            lambda wildcards: (
                f"results/local/{wildcards.scale}/beside{wildcards.extended}/beside.csv"
                if PLAN.published
                else []
            ),
            lambda wildcards: tables_and_figures(PLAN.extended if wildcards.extended else PLAN.default),
            paper="results/local/{scale}/overview{extended}/paper.csv",
        output:
            "results/local/{scale}/report{extended}.html",
        log:
            "results/local/{scale}/logs/report{extended}.log",
        conda:
            "envs/uniapl.yaml"
        threads: PLAN.needs("report").cores
        resources:
            **PLAN.request("report"),
        params:
            results=lambda wildcards, input: os.path.dirname(os.path.dirname(input.paper)),
            figures="figures/out/local/{scale}",
            extended=lambda wildcards: "--extended" if wildcards.extended else "",
        shell:
            "python -m uniapl.report --results {params.results} --figures {params.figures}"
            " {params.extended} --out {output} > {log} 2>&1"

    rule publish:
        input:
            tables_and_figures(PLAN.default),
        log:
            f"results/local/{SCALE}/logs/publish.log",
        conda:
            "envs/uniapl.yaml"
        params:
            scale=SCALE,
        shell:
            "python -m uniapl.publish --scale {params.scale} 2>&1 | tee {log}"

    rule tuning:
        input:
            f"results/local/{SCALE}/analyse/tuning/main.csv",

    onstart:
        flow.hold()

    onsuccess:
        share = flow.compute_share(
            f"results/local/{SCALE}/benchmarks", STARTED, workflow.resource_settings.cores
        )
        if share:
            print(share, file=sys.stderr)


rule figures_slash:
    name:
        "figures/"
    input:
        expand("figures/out/{figure}.pdf", figure=DRAWABLE),


rule figures:
    input:
        expand("figures/out/{figure}.pdf", figure=DRAWABLE),


rule figure:
    input:
        lambda wildcards: expand(
            "results/{set}/analyse/{experiment}/main.csv",
            set=wildcards.set,
            experiment=flow.DRAWN[wildcards.figure],
        ),
        lambda wildcards: flow.beside(wildcards.set, wildcards.figure),
        "figures/{figure}.py",
        flow.DRAWS,
    output:
        "figures/out/{set}/{figure}.pdf",
        report(
            "figures/out/{set}/{figure}.png",
            caption="docs/captions/figure.rst",
            category="figures",
            subcategory="{set}",
            labels={"figure": "{figure}"},
        ),
        "figures/out/{set}/{figure}.txt",
    log:
        "figures/out/{set}/logs/{figure}.log",
    conda:
        "envs/uniapl.yaml"
    params:
        out="figures/out/{set}/{figure}",
    shell:
        "python -m figures.{wildcards.figure} --results results/{wildcards.set} --out {params.out} > {log} 2>&1"
