# What the checkpoints answer, and how their answers score.
#
# One process evaluates the checkpoints of an arm at several seeds: half the time of one alone is imports. Rules cannot
# have outputs in a number that depends on a wildcard, so each declares one file that says that all others are written.


rule generate:
    input:
        of_seeds("results/local/{scale}/train/{arm}/seed{seed}/run.json"),
        JOB.bases("run.json"),
        prompts="results/local/{scale}/data/{split}.jsonl",
        expert=JOB.expert,
    output:
        touch("results/local/{scale}/generate/{split}/{arm}/seeds_{seeds}.done"),
    log:
        "results/local/{scale}/logs/generate/{split}_{seeds}/{arm}.log",
    benchmark:
        "results/local/{scale}/timings/generate/{split}_{seeds}/{arm}.tsv"
    priority: 100 if RUNS.scale.evaluation.each_seed else 0  # 100: before the next training
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: lambda wildcards: RUNS.needs("generate", wildcards.arm).cores
    resources:
        **flow.resources_of(RUNS, "generate"),
    params:
        checkpoints=of_seeds("results/local/{scale}/train/{arm}/seed{seed}/model"),
        out=of_seeds("results/local/{scale}/generate/{split}/{arm}/seed{seed}"),
        base=JOB.bases("model"),
        only=JOB.limits,
        against=lambda wildcards, input: f"--expert {input.expert}" if input.expert else "",
        rerun_if_changed=str(RUNS.scale.evaluation),
    shell:
        flow.leased(
            "python -m uniapl generate --scale {wildcards.scale}"
            " --checkpoint {params.checkpoints} --base {params.base} --prompts {input.prompts}"
            " {params.against} --out {params.out} {params.only} > {log} 2>&1"
        )


rule score:
    input:
        targets.SCORING,
        targets.CHECKERS,
        "results/local/{scale}/generate/{split}/{arm}/seeds_{seeds}.done",
        prompts="results/local/{scale}/data/{split}.jsonl",
    output:
        touch("results/local/{scale}/score/{split}/{arm}/seeds_{seeds}.done"),
    log:
        "results/local/{scale}/logs/score/{split}_{seeds}/{arm}.log",
    benchmark:
        "results/local/{scale}/timings/score/{split}_{seeds}/{arm}.tsv"
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("score").cores
    resources:
        **flow.resources_of(RUNS, "score"),
    params:
        responses=of_seeds_and_decodings(
            "results/local/{scale}/generate/{split}/{arm}/seed{seed}/{decoding}.parquet"
        ),
        out=of_seeds_and_decodings("results/local/{scale}/score/{split}/{arm}/seed{seed}/{decoding}.csv"),
    shell:
        "python -m uniapl score --prompts {input.prompts} --responses {params.responses}"
        " --record --out {params.out} > {log} 2>&1"


rule suite:
    input:
        "uniapl/config/suites.py",
        "uniapl/generate/suite.py",
        "uniapl/generate/tasks/miniature.py",
        "uniapl/generate/tasks/general.py",
        "results/local/{scale}/train/{arm}/seed{seed}/run.json",
        order=ancient(JOB.after_data),
    output:
        "results/local/{scale}/suite/{arm}/seed{seed}.csv",
    log:
        "results/local/{scale}/logs/suite/{arm}/seed{seed}.log",
    benchmark:
        "results/local/{scale}/timings/suite/{arm}/seed{seed}.tsv"
    priority: -1  # below every training and its evaluation: no training waits for it
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: lambda wildcards: RUNS.needs("suite", wildcards.arm).cores
    resources:
        **flow.resources_of(RUNS, "suite"),
    params:
        suite=RUNS.scale.suite,
        backend=flow.suite_backend(RUNS.scale.compute),
        model="results/local/{scale}/train/{arm}/seed{seed}/model",
    shell:
        flow.leased(
            "python -m uniapl suite --suite {params.suite} --backend {params.backend} --model {params.model}"
            " --out {output} > {log} 2>&1"
        )


rule converse:
    input:
        "uniapl/generate/converse.py",
        "uniapl/scorers/multi_if.py",
        targets.CHECKERS,
        "results/local/{scale}/train/{arm}/seed{seed}/run.json",
        conversations="results/local/{scale}/prompts/multi_if.jsonl",
        order=ancient(JOB.after_data),
    output:
        responses="results/local/{scale}/converse/{arm}/seed{seed}.jsonl",
        rows="results/local/{scale}/converse/{arm}/seed{seed}.csv",
    log:
        "results/local/{scale}/logs/converse/{arm}/seed{seed}.log",
    benchmark:
        "results/local/{scale}/timings/converse/{arm}/seed{seed}.tsv"
    priority: -1
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: lambda wildcards: RUNS.needs("converse", wildcards.arm).cores
    resources:
        **flow.resources_of(RUNS, "converse"),
    params:
        backend=RUNS.scale.compute.evaluate,
        longest=RUNS.scale.evaluation.max_new_tokens,
        model="results/local/{scale}/train/{arm}/seed{seed}/model",
    shell:
        flow.leased(
            "python -m uniapl converse --conversations {input.conversations} --model {params.model}"
            " --backend {params.backend} --max-new-tokens {params.longest}"
            " --out {output.responses} --rows {output.rows} > {log} 2>&1"
        )
