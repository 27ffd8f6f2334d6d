# Data of the everyday world: prompts of our own, the published evaluations, and the base's answers, edited to obey.


rule prompts:
    input:
        targets.EVERYDAY,
    output:
        "results/local/{scale}/prompts/train_prompts.jsonl",
        "results/local/{scale}/prompts/validation_prompts.jsonl",
        "results/local/{scale}/prompts/test.jsonl",
        "results/local/{scale}/prompts/summary.json",
    log:
        "results/local/{scale}/logs/prompts.log",
    benchmark:
        "results/local/{scale}/timings/prompts.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("prompts").cores
    resources:
        **flow.resources_of(RUNS, "prompts"),
    params:
        out="results/local/{scale}/prompts",
        rerun_if_changed=str(RUNS.scale.world),
    shell:
        "python -m uniapl.data.everyday.prompts --scale {wildcards.scale} --out {params.out} > {log} 2>&1"


rule teach:
    input:
        "results/local/{scale}/train/base/seed0/run.json",
        prompts=rules.prompts.output[:3],
    output:
        "results/local/{scale}/teach/demonstrations.jsonl",
        "results/local/{scale}/teach/demonstrations.summary.json",
    log:
        "results/local/{scale}/logs/teach.log",
    benchmark:
        "results/local/{scale}/timings/teach.tsv"
    retries: 1
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("teach").cores
    resources:
        **flow.resources_of(RUNS, "teach", served="teacher" in config),
    params:
        teacher="" if "teacher" in config else f"--model results/local/{SCALE}/train/base/seed0/model",
        rerun_if_changed=str(RUNS.scale.world.base),
    shell:
        flow.leased(
            "python -m uniapl.data.everyday.demonstrations --scale {wildcards.scale} --prompts {input.prompts}"
            " {params.teacher} $UNIAPL_TEACHER --out {output[0]} > {log} 2>&1"
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
        "results/local/{scale}/data/comparisons.jsonl",
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
        prompts="results/local/{scale}/prompts",
        demonstrations="results/local/{scale}/teach/demonstrations",
        base=f"results/local/{SCALE}/train/base/seed0/model",
        out="results/local/{scale}/data",
    shell:
        "(python -m uniapl data everyday --prompts {params.prompts} --demonstrations {params.demonstrations}.jsonl"
        " --out {params.out} && "
        + flow.leased(
            "python -m uniapl.data.everyday.comparisons --scale {wildcards.scale} --model {params.base}"
            " --prompts {params.prompts}/train_prompts.jsonl --samples {params.demonstrations}.samples.jsonl"
            " --out {params.out}/comparisons.jsonl) > {log} 2>&1"
        )
