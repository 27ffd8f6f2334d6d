"""Jobs of a scale, stage by stage, as the rules of workflow/rules/ make them."""

from uniapl.config.figures import figures_of
from uniapl.config.runs import Runs
from uniapl.data import hub


def batches(runs: Runs, experiments: list[str]) -> list[tuple[str, tuple[int, ...], str]]:
    """(split, seeds, arm) of every process that evaluates checkpoints which the experiments need."""
    evaluated = {(runs.experiments[name].split, *pair) for name in experiments for pair in runs.evaluated(name)}
    return [
        (split, seeds, arm)
        for (split, seeds), arms in runs.batches.items()
        for arm in arms
        if any((split, arm, seed) in evaluated for seed in seeds)
    ]


def trainings(runs: Runs, experiments: list[str]) -> list[tuple[str, int]]:
    """(arm, seed) of every checkpoint, fetched ones too, in alphabetical order."""
    return sorted(set().union(*(runs.trained(name) for name in experiments)))


def by_stage(runs: Runs, experiments: list[str]) -> dict[str, int]:
    """Jobs per stage; `target` is the rule that asks for all of them."""
    public = runs.scale.kind == "public"
    prompted = int(runs.scale.kind in ("everyday", "public"))  # with prompts and a teacher of their own
    checkpoints, evaluated = trainings(runs, experiments), len(batches(runs, experiments))
    fetched = sum(arm in runs.fetched for arm, _ in checkpoints)
    counts = {
        "prompts": prompted,
        "weights": int(public and bool(hub.pinned(runs.scale.world.teacher.model))),
        "teach": prompted,
        "data": 1 + len(set(runs.draws) & {seed for _, seed in checkpoints}),
        "fetch": fetched,
        "train": len(checkpoints) - fetched,
        "generate": evaluated,
        "score": evaluated,
        "suite": len(runs.general),
        "converse": len(runs.converses),
        "general": int(bool(runs.general)),
        "analyse": len(experiments),
        "tables": len(experiments),
        "figures": len(figures_of(experiments)),
        "overview": 1,
        "beside": int(runs.has_published_set),
        "report": 1,
        "target": 1,
    }
    return {stage: count for stage, count in counts.items() if count}
