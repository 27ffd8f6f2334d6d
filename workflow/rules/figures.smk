# Plots from analyses that exist. `snakemake figures/` has no other rules, so that it never trains.

from uniapl.config.figures import files_of_figure, needs_of_figures

DRAWABLE = flow.or_exit(targets.drawable) if PLOTS_ONLY else []


localrules:
    figure,
    figures,


rule figures_slash:
    name:
        "figures/"
    input:
        expand("figures/out/{figure}.pdf", figure=DRAWABLE),


rule figures:
    input:
        expand("figures/out/{figure}.pdf", figure=DRAWABLE),


rule figure:
    input:
        lambda wildcards: expand(
            "results/{set}/analyse/{experiment}/main.csv",
            set=wildcards.set,
            experiment=needs_of_figures()[wildcards.figure],
        ),
        lambda wildcards: targets.published_analysis(wildcards.set, wildcards.figure),
        lambda wildcards: files_of_figure(wildcards.figure),
    output:
        "figures/out/{set}/{figure}.pdf",
        report(
            "figures/out/{set}/{figure}.png",
            caption="../../docs/captions/figure.rst",
            category="figures",
            subcategory="{set}",
            labels={"figure": "{figure}"},
        ),
        "figures/out/{set}/{figure}.txt",
    log:
        "figures/out/{set}/logs/{figure}.log",
    wildcard_constraints:
        figure=flow.any_of(needs_of_figures()),
    conda:
        f"../../envs/{ENVIRONMENT}.yaml"
    params:
        out="figures/out/{set}/{figure}",
    shell:
        "python -m figures.{wildcards.figure} --results results/{wildcards.set} --out {params.out} > {log} 2>&1"
