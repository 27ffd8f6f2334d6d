# Data of a miniature world: prompts, demonstrations and the random policy, drawn by rules of its own.


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
        "results/local/{scale}/timings/data.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("data").cores
    resources:
        **flow.resources_of(RUNS, "data"),
    params:
        out="results/local/{scale}/data",
        rerun_if_changed=str(RUNS.scale.world),
    shell:
        "python -m uniapl data miniature --scale {wildcards.scale} --out {params.out} > {log} 2>&1"
