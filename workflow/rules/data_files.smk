# Data of a world of your own files (uniapl/data/files/): checked, and copied.


rule data:
    input:
        targets.world_files(RUNS),
        "uniapl/data/files/rows.py",
    output:
        [
            f"results/local/{{scale}}/data/{name}"
            for name in (*(f"{split}.jsonl" for split in RUNS.scale.world.paths), "summary.json")
        ],
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
        "python -m uniapl data files --scale {wildcards.scale} --out {params.out} > {log} 2>&1"
