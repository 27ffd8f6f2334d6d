# Data of published sets: prompts that overlap with no evaluation, and the teacher's answers to them.


rule prompts:
    input:
        student="results/local/{scale}/train/base/seed0/run.json",
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
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("prompts").cores
    resources:
        **flow.resources_of(RUNS, "prompts"),
    params:
        out="results/local/{scale}/prompts",
        student=lambda wildcards, input: f"{os.path.dirname(input.student)}/model",
        world=RUNS.scale.world,
        rerun_if_changed=hub.pinned(*(id for id, entry in hub.lock().items() if entry.kind == "dataset")),
    shell:
        "python -m uniapl prompts --out {params.out} --train {params.world.train}"
        " --validation {params.world.validation} --seed {params.world.seed}"
        " --student {params.student} --tokens {params.world.prompt_tokens} > {log} 2>&1"


# the teacher's 470 GB arrive before its GPUs are held
rule weights:
    output:
        touch("results/local/{scale}/teach/weights.done"),
    log:
        "results/local/{scale}/logs/weights.log",
    benchmark:
        "results/local/{scale}/timings/weights.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("fetch").cores
    resources:
        **flow.resources_of(RUNS, "fetch"),
    params:
        model=RUNS.scale.world.teacher.model,
    shell:
        "python -m uniapl hub fetch {params.model} > {log} 2>&1"


rule teach:
    input:
        prompts=rules.prompts.output[:3],
        # what would end every training is known before the teacher is paid: each shared checkpoint is here, and readable
        before=ancient(JOB.before_teacher(served="teacher" in config)),
    output:
        "results/local/{scale}/teach/demonstrations.summary.json",
    log:
        "results/local/{scale}/logs/teach.log",
    benchmark:
        "results/local/{scale}/timings/teach.tsv"
    priority: 1_000  # everything waits for it
    retries: 1
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("teach").cores
    resources:
        **flow.resources_of(RUNS, "teach", served="teacher" in config),
    params:
        # not an output: an interrupted teacher keeps what it has answered
        out="results/local/{scale}/teach/demonstrations.jsonl",
        rerun_if_changed=(str(RUNS.scale.world.teacher), hub.pinned(RUNS.scale.world.teacher.model)),
    shell:
        flow.leased(
            "python -m uniapl teach --scale {wildcards.scale} --prompts {input.prompts} $UNIAPL_TEACHER"
            " --out {params.out} > {log} 2>&1"
        )


rule data:
    input:
        rules.prompts.output,
        rules.teach.output,
    output:
        "results/local/{scale}/data/train.jsonl",
        "results/local/{scale}/data/unsolved.jsonl",
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
        prompts="results/local/{scale}/prompts",
        demonstrations="results/local/{scale}/teach/demonstrations.jsonl",
        out="results/local/{scale}/data",
    shell:
        "python -m uniapl data public --prompts {params.prompts} --demonstrations {params.demonstrations}"
        " --out {params.out} > {log} 2>&1"
