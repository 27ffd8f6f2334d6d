# Data of published sets: prompts that overlap with no evaluation, and the teacher's answers to them.


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
        "results/local/{scale}/timings/prompts.tsv"
    conda:
        "../../envs/uniapl.yaml"
    threads: RUNS.needs("prompts").cores
    resources:
        **flow.resources_of(RUNS, "prompts"),
    params:
        out="results/local/{scale}/prompts",
        world=RUNS.scale.world,
        rerun_if_changed=hub.pinned(*(id for id, entry in hub.lock().items() if entry.kind == "dataset")),
    shell:
        "python -m uniapl prompts --out {params.out} --train {params.world.train}"
        " --validation {params.world.validation} --seed {params.world.seed} > {log} 2>&1"


rule teach:
    input:
        rules.prompts.output[:3],
    output:
        "results/local/{scale}/teach/demonstrations.summary.json",
    log:
        "results/local/{scale}/logs/teach.log",
    benchmark:
        "results/local/{scale}/timings/teach.tsv"
    retries: 1
    conda:
        "../../envs/uniapl.yaml"
    threads: RUNS.needs("teach").cores
    resources:
        **flow.resources_of(RUNS, "teach", served="teacher" in config),
    params:
        # not an output: an interrupted teacher keeps what it has answered
        out="results/local/{scale}/teach/demonstrations.jsonl",
        rerun_if_changed=(str(RUNS.scale.world.teacher), hub.pinned(RUNS.scale.world.teacher.model)),
    shell:
        flow.leased(
            "python -m uniapl teach --scale {wildcards.scale} --prompts {input} $UNIAPL_TEACHER"
            " --out {params.out} > {log} 2>&1"
        )


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
        "results/local/{scale}/timings/data.tsv"
    conda:
        "../../envs/uniapl.yaml"
    threads: RUNS.needs("data").cores
    resources:
        **flow.resources_of(RUNS, "data"),
    params:
        prompts="results/local/{scale}/prompts",
        demonstrations="results/local/{scale}/teach/demonstrations.jsonl",
        out="results/local/{scale}/data",
    shell:
        "python -m uniapl data public --prompts {params.prompts} --demonstrations {params.demonstrations}"
        " --out {params.out} > {log} 2>&1"
