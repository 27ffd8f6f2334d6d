"""Jobs of a scale, stage by stage; their sum is `Plan.jobs` (uniapl/dag/snakemake.py)."""

from uniapl.dag.snakemake import GENERAL, Plan, figures_of


def batches(plan: Plan, experiments: list[str]) -> list[tuple[str, tuple[int, ...], str]]:
    """(split, seeds, arm) of every process that evaluates checkpoints which the experiments need."""
    asked = {(plan.experiments[name].split, *pair) for name in experiments for pair in plan.evaluated(name)}
    return [
        (split, seeds, arm)
        for (split, seeds), arms in plan.batches.items()
        for arm in arms
        if any((split, arm, seed) in asked for seed in seeds)
    ]


def trainings(plan: Plan, experiments: list[str]) -> list[tuple[str, int]]:
    """(arm, seed) of every checkpoint, fetched ones too, in alphabetical order."""
    return sorted(set().union(*(plan.trained(name) for name in experiments)))


def by_stage(plan: Plan, experiments: list[str]) -> dict[str, int]:
    """Jobs per stage; `target` is the rule that asks for all of them."""
    public = plan.scale.kind == "public"
    made, evaluated = trainings(plan, experiments), len(batches(plan, experiments))
    fetched = sum(arm in plan.fetched for arm, _ in made)
    counts = {
        "prompts": int(public),
        "teach": int(public),
        "data": 1,
        "fetch": fetched,
        "train": len(made) - fetched,
        "generate": evaluated,
        "score": evaluated,
        "suite": len(GENERAL),
        "converse": len(plan.converses),
        "general": 1,
        "analyse": len(experiments),
        "tables": len(experiments),
        "figures": len(figures_of(experiments)),
        "overview": 1,
        "beside": int(plan.published),
        "report": 1,
        "target": 1,
    }
    return {stage: count for stage, count in counts.items() if count}
