# The runs: an arm at a seed, from its start checkpoint to its own. A fetched arm's training is a download.


rule fetch:
    output:
        "results/local/{scale}/train/{arm}/seed{seed}/run.json",
        "results/local/{scale}/train/{arm}/seed{seed}/history.csv",
    log:
        "results/local/{scale}/logs/fetch/{arm}/seed{seed}.log",
    benchmark:
        "results/local/{scale}/timings/fetch/{arm}/seed{seed}.tsv"
    wildcard_constraints:
        arm=flow.any_of(RUNS.fetched),
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: RUNS.needs("fetch").cores
    resources:
        **flow.resources_of(RUNS, "fetch"),
    params:
        out="results/local/{scale}/train/{arm}/seed{seed}",
        rerun_if_changed=lambda wildcards: (JOB.fingerprint(wildcards), JOB.source(wildcards)),
    shell:
        "python -m uniapl fetch --scale {wildcards.scale} --arm {wildcards.arm} --out {params.out}"
        " > {log} 2>&1"


rule train:
    input:
        lambda wildcards: f"{JOB.data(wildcards)}/summary.json",
        JOB.cards_before,
    output:
        "results/local/{scale}/train/{arm}/seed{seed}/run.json",
        "results/local/{scale}/train/{arm}/seed{seed}/history.csv",
    log:
        "results/local/{scale}/logs/train/{arm}/seed{seed}.log",
    benchmark:
        "results/local/{scale}/timings/train/{arm}/seed{seed}.tsv"
    wildcard_constraints:
        arm=flow.any_of(arm for arm in RUNS.arms if arm not in RUNS.fetched),
    priority: lambda wildcards: RUNS.chain_length(wildcards.arm)
    retries: 1
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    threads: lambda wildcards: RUNS.needs("train", wildcards.arm).cores
    resources:
        **flow.resources_of(RUNS, "train"),
        **flow.one_at_a_time(workflow, config),
    params:
        data=lambda wildcards, input: os.path.dirname(input[0]),
        out="results/local/{scale}/train/{arm}/seed{seed}",
        start=JOB.start,
        probe=JOB.probe,
        rerun_if_changed=JOB.fingerprint,
    shell:
        flow.leased(
            "python -m uniapl train --scale {wildcards.scale}"
            " --arm {wildcards.arm} --seed {wildcards.seed} --data {params.data} --start {params.start}"
            " {params.probe} $UNIAPL_SERVERS --out {params.out} > {log} 2>&1"
        )
