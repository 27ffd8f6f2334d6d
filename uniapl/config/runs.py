"""The runs of a scale: which arms at which seeds, where each starts, which experiments ask for them. Pure."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from uniapl.config import (
    Arm,
    Experiment,
    Run,
    Scale,
    all_arms,
    check_scale,
    choose,
    experiments_of,
    resolve,
    seeds_of,
)
from uniapl.config.names import PUBLISHED_SET
from uniapl.config.resources import Resources
from uniapl.config.suites import SUITES


@dataclass(frozen=True)
class Runs:
    """Everything that is trained and evaluated at a scale, by experiment, by arm and by seed."""

    scale: Scale

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        return {experiment.name: experiment for experiment in experiments_of(self.scale)}

    @cached_property
    def arms(self) -> dict[str, Arm]:
        return all_arms(self.scale, list(self.experiments.values()))

    @cached_property
    def default(self) -> list[str]:
        """The experiments of the target `all`. A choice of settings, such as tuning, is asked for by name."""
        return [name for name, e in self.experiments.items() if e.split == "test" and not self._waits(e)]

    @cached_property
    def tuning(self) -> list[str]:
        """The experiments that choose settings: those on validation prompts."""
        return [name for name, e in self.experiments.items() if e.split == "validation"]

    @cached_property
    def extended(self) -> list[str]:
        """The experiments of the target `extended`: those of `all`, and those kept out of it."""
        return self.default + [name for name, experiment in self.experiments.items() if self._waits(experiment)]

    def _waits(self, experiment: Experiment) -> bool:
        return experiment.extended or experiment.name in self.scale.extended

    @property
    def has_published_set(self) -> bool:
        return Path(PUBLISHED_SET.format(scale=self.scale.name)).is_file()

    @cached_property
    def shared(self) -> list[str]:
        """The arms that all others build on."""
        return [arm.name for arm in self.scale.shared]

    def run(self, arm: str, seed: int | str) -> Run:
        return resolve(self.scale, self.arms, arm, int(seed))

    def shared_at(self, seed: int | str) -> list[Run]:
        """The runs of the shared arms that a training of this seed builds on."""
        return [self.run(arm, seed) for arm in self.shared]

    def chain_length(self, arm: str) -> int:
        """How many trainings, one after another, follow from this arm's, with its own."""
        return 1 + max((self.chain_length(a.name) for a in self.arms.values() if a.start == arm), default=0)

    def check(self) -> None:
        """Raise UserError where the scale or an experiment has a mistake in it."""
        check_scale(self.scale)
        for arm in self.arms:
            self.run(arm, 0)

    def evaluated(self, name: str) -> list[tuple[str, int]]:
        """(arm, seed) of every checkpoint that the experiment evaluates: the base, then its arms."""
        experiment = self.experiments[choose("experiment", name, self.experiments)]
        arms = (self.arms["base"], *experiment.arms)
        return [(arm.name, seed) for arm in arms for seed in seeds_of(self.scale, experiment, arm)]

    def trained(self, experiment: str) -> set[tuple[str, int]]:
        """(arm, seed) of every training that the experiment needs: of its arms, their starts, the shared."""
        trained = set()
        for arm, seed in self.evaluated(experiment):
            for run in (self.run(arm, seed), *self.shared_at(seed)):
                while run:
                    trained.add((run.arm, run.seed))
                    run = run.start
        return trained

    @cached_property
    def batches(self) -> dict[tuple[str, tuple[int, ...]], list[str]]:
        """(split, seeds) -> the arms of which one process evaluates the checkpoints at these seeds.

        All seeds of an arm that any experiment evaluates on a split, since half the time of one alone is imports; those
        that only experiments of the target `extended` evaluate are a batch of their own. One seed where the evaluation
        is long.
        """
        batches, seen = {}, set()
        for extended in (False, True):
            seeds: dict[tuple[str, str], set[int]] = {}
            for name, experiment in self.experiments.items():
                for arm, seed in self.evaluated(name) if self._waits(experiment) is extended else ():
                    if (experiment.split, arm, seed) not in seen:
                        seeds.setdefault((experiment.split, arm), set()).add(seed)
            for (split, arm), of_arm in seeds.items():
                together = tuple(sorted(of_arm))
                for batch in zip(together) if self.scale.evaluation.each_seed else [together]:
                    batches.setdefault((split, batch), []).append(arm)
                seen |= {(split, arm, seed) for seed in of_arm}
        return batches

    @cached_property
    def draws(self) -> list[int]:
        """The seeds whose training data are drawn for them alone, beside those of seed 0 that all scales have."""
        if not self.scale.drawn_by_seed:
            return []
        return sorted({seed for name in self.experiments for _, seed in self.evaluated(name)} - {0})

    def data_of(self, seed: int | str) -> str:
        """The folder, in the scale's results, of the data that trainings of this seed read."""
        return f"data/seed{seed}" if int(seed) and self.scale.drawn_by_seed else "data"

    @cached_property
    def general(self) -> tuple[str, ...]:
        """The arms that general benchmarks are asked of: none where the scale has no suite, or lacks one of them."""
        arms = self.scale.general
        return arms if SUITES[self.scale.suite] and set(arms) <= self.arms.keys() else ()

    @property
    def has_expert(self) -> bool:
        """Whether an expert answers validation and test prompts: responses are held against its own."""
        return getattr(self.scale.world, "expert", True) is not None

    @property
    def converses(self) -> tuple[str, ...]:
        """The arms that Multi-IF's conversations are held with; none in a miniature world, which has no such data."""
        return self.scale.general if self.scale.kind == "public" else ()

    @cached_property
    def fetched(self) -> list[str]:
        """The arms that are downloaded, not trained."""
        return [arm.name for arm in self.arms.values() if arm.is_fetched]

    @cached_property
    def comparators(self) -> list[str]:
        """Fetched arms that experiments compare with: as large as they are, only vLLM can hold them."""
        return [arm for arm in self.fetched if arm not in self.shared]

    def needs(self, stage: str, arm: str = "") -> Resources:
        """What a job of the stage asks for at this scale, for this arm."""
        resources = self.scale.resources
        return resources.get(f"{stage}/{arm}") or resources.get(stage, Resources())
