# Data of a miniature world: prompts, demonstrations and the random policy, drawn by rules of its own. `data/` has those of
# seed 0, `data/seedK/` those of another; what all of them are tested on is the same.


rule data:
    input:
        "uniapl/data/miniature/rows.py",
        "uniapl/data/miniature/world.py",
        "uniapl/data/miniature/writers.py",
        "uniapl/data/miniature/model.py",
    output:
        "results/local/{scale}/data{draw}/train.jsonl",
        "results/local/{scale}/data{draw}/validation.jsonl",
        "results/local/{scale}/data{draw}/test.jsonl",
        "results/local/{scale}/data{draw}/expert.jsonl",
        "results/local/{scale}/data{draw}/summary.json",
    log:
        "results/local/{scale}/logs/data{draw}.log",
    benchmark:
        "results/local/{scale}/timings/data{draw}.tsv"
    wildcard_constraints:
        draw=r"(/seed\d+)?",
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("data").cores
    resources:
        **flow.resources_of(RUNS, "data"),
    params:
        out="results/local/{scale}/data{draw}",
        seed=JOB.seed_of_draw,
        rerun_if_changed=str(RUNS.scale.world),
    shell:
        "python -m uniapl data miniature --scale {wildcards.scale} --seed {params.seed} --out {params.out}"
        " > {log} 2>&1"
