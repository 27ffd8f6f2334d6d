"""Where an arm stands on the axis of a sweep: its settings, read from the experiment's file and its scale."""

from pathlib import Path

from baselines import grpo, sft
from uniapl.config import Run, arm_of, load_experiment, load_scale

SEPARATE = (sft, grpo)  # the methods of a pipeline's stages


def chains(results: Path, experiment: str) -> dict[str, list[Run]]:
    """Each arm of the experiment with its run and the runs that this continues, the last one first, without the base.

    `results` is named like its scale. Raises UserError for a scale or an experiment that does not exist.
    """
    scale, by_arm = load_scale(results.name), {}
    for arm in load_experiment(experiment).arms:
        run, chain = arm_of(scale, arm.name, scale.seeds[0]), []
        while run and run.arm != "base":
            chain.append(run)
            run = run.start
        by_arm[arm.name] = chain
    return by_arm


def lam(chain: list[Run]) -> float | None:
    """Lambda, of an arm that has one."""
    return getattr(chain[0].settings, "lam", None)


def demonstrations(chain: list[Run]) -> int:
    """The number of prompts with a demonstration: where no stage has fewer, all training prompts."""
    counts = [getattr(run.settings, "demonstrations", None) for run in chain]
    return min([count for count in counts if count is not None], default=chain[0].world.train)


def teacher(chain: list[Run]) -> str:
    """Whose demonstrations an arm sees."""
    seen = [getattr(run.settings, "teacher", "expert") for run in chain]
    return next((name for name in seen if name != "expert"), "expert")


def sft_share(chain: list[Run]) -> float | None:
    """The share of optimizer steps that are SFT steps, in %, of an arm whose stages are SFT and GRPO; else None."""
    steps = {method: sum(run.settings.steps for run in chain if run.method is method) for method in SEPARATE}
    if any(run.method not in SEPARATE for run in chain):
        return None
    return 100 * steps[sft] / sum(steps.values())


def target(chain: list[Run]) -> float | None:
    """The distance that lambda is to reach, of an arm whose lambda moves."""
    settings = chain[0].settings
    return settings.eps if getattr(settings, "lam_step", 0) > 0 else None
