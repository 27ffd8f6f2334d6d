"""Inputs and parameters of the rules, as functions of a job's wildcards. No rule of its own; pure."""

from collections.abc import Callable
from dataclasses import dataclass

from uniapl.config import DECODINGS, Run, decodings_of, seeds_of
from uniapl.config.runs import Runs
from uniapl.dag.targets import tables_and_figures
from uniapl.data import hub


def of_seeds(template: str) -> Callable:
    """The template for each seed of a batch, `{seeds}` = "0_1_2", with the job's other wildcards filled in."""
    return lambda wildcards: [template.format(**wildcards, seed=seed) for seed in wildcards.seeds.split("_")]


def of_seeds_and_decodings(template: str) -> Callable:
    """The same for each decoding of the split too, in the order of the seeds."""
    return lambda wildcards: [
        template.format(**wildcards, seed=seed, decoding=decoding)
        for seed in wildcards.seeds.split("_")
        for decoding in decodings_of(wildcards.split)
    ]


@dataclass(frozen=True)
class Wildcards:
    """What jobs of these runs read."""

    runs: Runs

    def run(self, wildcards) -> Run:
        return self.runs.run(wildcards.arm, wildcards.seed)

    def fingerprint(self, wildcards) -> str:
        return self.run(wildcards).fingerprint

    def data(self, wildcards) -> str:
        """The folder of the data that trainings of this seed read."""
        return f"results/local/{self.runs.scale.name}/{self.runs.data_of(wildcards.seed)}"

    def seed_of_draw(self, wildcards) -> str:
        """The seed whose data a job draws: `{draw}` = "" for seed 0, whose data are those of all, or "/seed3"."""
        return wildcards.draw.removeprefix("/seed") or "0"

    def folder(self, run: Run) -> str:
        """Where a run's checkpoint and card are."""
        return f"results/local/{self.runs.scale.name}/train/{run.arm}/seed{run.seed}"

    def start(self, wildcards) -> str:
        """The folder of the checkpoint that a run starts from."""
        start = self.run(wildcards).start
        return f"{self.folder(start)}/model" if start else f"{self.data(wildcards)}/scratch"

    def cards_before(self, wildcards) -> list[str]:
        """The cards of the runs that a training needs: its start and, but for the shared arms, the probe's."""
        start = self.run(wildcards).start
        before = [start] if start else []
        if self.is_measured(wildcards):
            before = [*self.runs.shared_at(wildcards.seed), *before]
        return list(dict.fromkeys(f"{self.folder(run)}/run.json" for run in before))

    def is_measured(self, wildcards) -> bool:
        """Whether the run has a probe: the base and the discriminator, which it needs, have none."""
        return wildcards.arm not in self.runs.shared and self.run(wildcards).start is not None

    def probe(self, wildcards) -> str:
        """The options that name the probe's base and discriminator; none for the arms that come before them."""
        runs = self.runs.shared_at(wildcards.seed) if self.is_measured(wildcards) else []
        return " ".join(f"--{run.arm} {self.folder(run)}/model" for run in runs if run.arm in ("base", "discriminator"))

    def bases(self, ending: str) -> Callable:
        """What the base of each seed of a batch has: its card, its model."""
        return lambda wildcards: [
            f"{self.folder(self.runs.run('base', seed))}/{ending}" for seed in wildcards.seeds.split("_")
        ]

    def expert(self, wildcards) -> str | list:
        """The expert's responses, where there is an expert."""
        return f"results/local/{self.runs.scale.name}/data/expert.jsonl" if self.runs.has_expert else []

    def limits(self, wildcards) -> str:
        """The options by which an evaluation does less: of a comparator responses alone, of a choice of settings the
        decoding that chooses."""
        split = decodings_of(wildcards.split)
        less = ["--responses-only"] if wildcards.arm in self.runs.comparators else []
        return " ".join([*less, *(() if split == DECODINGS else ("--decodings", *split))])

    def before_teacher(self, *, served: bool) -> list[str]:
        """What is fetched before the teacher holds its GPUs: the shared checkpoints and, unless a server has them, its
        weights; a folder of one's own has nothing to fetch."""
        root, own = f"results/local/{self.runs.scale.name}", hub.pinned(self.runs.scale.world.teacher.model)
        cards = [f"{root}/train/{arm}/seed0/run.json" for arm in self.runs.shared if arm in self.runs.fetched]
        return cards + ([] if served or not own else [f"{root}/teach/weights.done"])

    def after_data(self, wildcards) -> list[str]:
        """What the general benchmarks wait for, without reading it, where a teacher needs all GPUs first."""
        root = f"results/local/{self.runs.scale.name}"
        return [f"{root}/data/summary.json"] if self.runs.scale.kind == "public" else []

    def source(self, wildcards) -> str:
        """Where a fetched checkpoint is from: a revision of the hub, or what a folder holds."""
        return hub.source(self.run(wildcards).settings.model)

    def experiments(self, wildcards) -> list[str]:
        """The experiments of a target, `{extended}` = "" or "_extended"."""
        return self.runs.extended if wildcards.extended else self.runs.default

    def asked(self, wildcards) -> str:
        """What an analysis reads of its experiment: an edited one is made again."""
        experiment, scale = self.runs.experiments[wildcards.experiment], self.runs.scale
        seeds = {arm.name: seeds_of(scale, experiment, arm) for arm in (*scale.shared, *experiment.arms)}
        return repr((seeds, experiment.against, experiment.decoding, experiment.claims))

    def analysed(self, table: str) -> Callable:
        """This table of each of the target's experiments."""
        return lambda wildcards: [
            f"results/local/{wildcards.scale}/analyse/{name}/{table}.csv" for name in self.experiments(wildcards)
        ]

    def shown(self, wildcards) -> list[str]:
        """What the report shows of each of the target's experiments."""
        return tables_and_figures(self.runs, self.experiments(wildcards))
