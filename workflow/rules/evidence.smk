# From scored responses to what people read: statistics, tables, verdicts, the report, the published set.


rule general:
    input:
        "uniapl/config/suites.py",
        targets.STATISTICS,
        targets.RENDERING,
        expand("results/local/{{scale}}/suite/{arm}/seed0.csv", arm=RUNS.general),
        expand("results/local/{{scale}}/converse/{arm}/seed0.csv", arm=RUNS.converses),
    output:
        report(
            "results/local/{scale}/general/general.csv",
            caption="../../docs/captions/general.rst",
            category="tables",
            subcategory="general",
            labels={"table": "general"},
        ),
    log:
        "results/local/{scale}/logs/general.log",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("tables").cores
    resources:
        **flow.resources_of(RUNS, "tables"),
    params:
        root=lambda wildcards, output: os.path.dirname(os.path.dirname(output[0])),
        out=lambda wildcards, output: os.path.dirname(output[0]),
    shell:
        "python -m uniapl general --root {params.root} --out {params.out} > {log} 2>&1"


rule analyse:
    input:
        targets.ANALYSES,
        targets.STATISTICS,
        lambda wildcards: targets.scored(RUNS, wildcards.experiment),
    output:
        expand("results/local/{{scale}}/analyse/{{experiment}}/{table}.csv", table=names.TABLES),
    log:
        "results/local/{scale}/logs/analyse/{experiment}.log",
    benchmark:
        "results/local/{scale}/timings/analyse/{experiment}.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("analyse").cores
    resources:
        **flow.resources_of(RUNS, "analyse"),
    params:
        root="results/local/{scale}",
        out="results/local/{scale}/analyse/{experiment}",
        rerun_if_changed=JOB.asked,
    shell:
        "python -m uniapl analyse --root {params.root} --experiment {wildcards.experiment}"
        " --out {params.out} > {log} 2>&1"


rule tables:
    input:
        targets.RENDERING,
        expand("results/local/{{scale}}/analyse/{{experiment}}/{table}.csv", table=names.TABLES),
    output:
        *(
            report(
                f"results/local/{{scale}}/tables/{{experiment}}/{table}.csv",
                caption="../../docs/captions/tables.rst",
                category="tables",
                subcategory="{experiment}",
                labels={"table": table},
            )
            for table in names.TABLES
        ),
        expand(
            "results/local/{{scale}}/tables/{{experiment}}/{table}.{form}",
            table=names.TABLES,
            form=["md", "tex"],
        ),
    log:
        "results/local/{scale}/logs/tables/{experiment}.log",
    benchmark:
        "results/local/{scale}/timings/tables/{experiment}.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("tables").cores
    resources:
        **flow.resources_of(RUNS, "tables"),
    params:
        analysis=lambda wildcards, input: os.path.dirname(input[-1]),
        out="results/local/{scale}/tables/{experiment}",
    shell:
        "python -m uniapl tables --analysis {params.analysis} --out {params.out} > {log} 2>&1"


rule overview:
    input:
        targets.RENDERING,
        JOB.analysed("claims"),
    output:
        expand(
            "results/local/{{scale}}/overview{{extended}}/{file}",
            file=["paper.csv", "claims.csv", "ablations.csv", "settings.csv", "arms.csv", "claims.json"],
        ),
    log:
        "results/local/{scale}/logs/overview{extended}.log",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("tables").cores
    resources:
        **flow.resources_of(RUNS, "tables"),
    params:
        root="results/local/{scale}",
        out="results/local/{scale}/overview{extended}",
    shell:
        "python -m uniapl overview --root {params.root} --out {params.out} > {log} 2>&1"


rule beside:
    input:
        targets.RENDERING,
        JOB.analysed("main"),
        manifest=names.PUBLISHED_SET,
    output:
        "results/local/{scale}/beside{extended}/beside.csv",
    log:
        "results/local/{scale}/logs/beside{extended}.log",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    params:
        local="results/local/{scale}",
        published=lambda wildcards, input: os.path.dirname(input.manifest),
        out="results/local/{scale}/beside{extended}",
    shell:
        "python -m uniapl beside --local {params.local} --published {params.published}"
        " --out {params.out} > {log} 2>&1"


rule report:
    input:
        targets.REPORTING,
        "results/local/{scale}/overview{extended}/ablations.csv",
        "results/local/{scale}/beside{extended}/beside.csv" if RUNS.has_published_set else [],
        JOB.shown,
        paper="results/local/{scale}/overview{extended}/paper.csv",
    output:
        "results/local/{scale}/report{extended}.html",
    log:
        "results/local/{scale}/logs/report{extended}.log",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("report").cores
    resources:
        **flow.resources_of(RUNS, "report"),
    params:
        results=lambda wildcards, input: os.path.dirname(os.path.dirname(input.paper)),
        figures="figures/out/local/{scale}",
        extended=lambda wildcards: "--extended" if wildcards.extended else "",
    shell:
        "python -m uniapl report --results {params.results} --figures {params.figures}"
        " {params.extended} --out {output} > {log} 2>&1"


localrules:
    publish,


rule publish:
    input:
        targets.tables_and_figures(RUNS, RUNS.default),
    log:
        f"results/local/{SCALE}/logs/publish.log",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    params:
        scale=SCALE,
    shell:
        "python -m uniapl publish --scale {params.scale} 2>&1 | tee {log}"


rule tuning:
    input:
        expand(f"results/local/{SCALE}/analyse/{{experiment}}/main.csv", experiment=RUNS.tuning),
