# The runs: an arm at a seed, from its start checkpoint to its own. A fetched arm's training is a download.


def run_of(wildcards):
    return RUNS.run(wildcards.arm, wildcards.seed)


def folder_of(run):
    """Where a run's checkpoint and card are."""
    return f"results/local/{SCALE}/train/{run.arm}/seed{run.seed}"


def start_of(wildcards):
    """The folder of the checkpoint that a run starts from."""
    start = run_of(wildcards).start
    return f"{folder_of(start)}/model" if start else f"results/local/{SCALE}/data/scratch"


def cards_before(wildcards):
    """The cards of the runs that a training needs: its start and, for every arm after the base, the probe's."""
    start = run_of(wildcards).start
    before = [*(RUNS.run(arm, 0) for arm in RUNS.shared), start] if start else []
    return list(dict.fromkeys(f"{folder_of(run)}/run.json" for run in before))


def probe_of(wildcards):
    """The options that name the probe's base and discriminator; none for the arms that come before them."""
    names = [name for name in ("base", "discriminator") if name in RUNS.shared and run_of(wildcards).start]
    return " ".join(f"--{name} {folder_of(RUNS.run(name, 0))}/model" for name in names)


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
        "../../envs/uniapl.yaml"
    threads: RUNS.needs("fetch").cores
    resources:
        **flow.resources_of(RUNS, "fetch"),
    params:
        out="results/local/{scale}/train/{arm}/seed{seed}",
        rerun_if_changed=lambda wildcards: (
            run_of(wildcards).fingerprint,
            hub.pinned(run_of(wildcards).settings.model),
        ),
    shell:
        "python -m uniapl fetch --scale {wildcards.scale} --arm {wildcards.arm} --out {params.out}"
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
        "results/local/{scale}/timings/train/{arm}/seed{seed}.tsv"
    wildcard_constraints:
        arm=flow.any_of(arm for arm in RUNS.arms if arm not in RUNS.fetched),
    priority: lambda wildcards: RUNS.chain_length(wildcards.arm)
    retries: 1
    conda:
        "../../envs/uniapl.yaml"
    threads: lambda wildcards: RUNS.needs("train", wildcards.arm).cores
    resources:
        **flow.resources_of(RUNS, "train"),
    params:
        data="results/local/{scale}/data",
        out="results/local/{scale}/train/{arm}/seed{seed}",
        start=start_of,
        probe=probe_of,
        rerun_if_changed=lambda wildcards: run_of(wildcards).fingerprint,
    shell:
        LEASE + "python -m uniapl train --scale {wildcards.scale}"
        " --arm {wildcards.arm} --seed {wildcards.seed} --data {params.data} --start {params.start}"
        " {params.probe} $UNIAPL_SERVERS --out {params.out} > {log} 2>&1"
