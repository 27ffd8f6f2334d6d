"""The plan of a scale on given GPUs, as numbers: what uniapl/costs/report.py prints."""

import operator
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from uniapl.config import Run
from uniapl.config.runs import Runs
from uniapl.costs import fit, jobs, memory, teaching, work
from uniapl.costs.assumptions import Assumptions
from uniapl.costs.gpus import Gpu
from uniapl.costs.shapes import shape_of
from uniapl.errors import UserError
from uniapl.models import harness

POWERS = (1, 2, 4, 8, 16)  # over how many GPUs a model's heads are split
LIMITED = ("suite", "converse")  # stages that are counted with the time that they ask for


def group_by_peak(peaks: dict[tuple[str, str], fit.Parts]) -> list[tuple[str, fit.Parts]]:
    """The jobs of a stage that have one and the same peak, as `stage: arm, arm`, with that peak; the largest first."""
    arms_by_peak: dict[tuple, list[str]] = defaultdict(list)
    for (stage, arm), parts in peaks.items():
        arms_by_peak[stage, tuple(sorted(parts.items()))].append(arm)
    named = [(f"{stage}: {', '.join(sorted(arms))}", dict(parts)) for (stage, parts), arms in arms_by_peak.items()]
    return sorted(named, key=lambda item: -sum(item[1].values()))


@dataclass
class Hours:
    """GPU-hours of an arm: its trainings at all seeds, and the evaluations of its checkpoints; `runs` of these."""

    runs: int = 0
    gpus: int = 0
    train: float = 0.0
    generate: float = 0.0

    @property
    def total(self) -> float:
        return self.train + self.generate


@dataclass(frozen=True)
class Estimate:
    """`experiments` of `runs` on `gpus` GPUs of one kind."""

    runs: Runs
    experiments: list[str]
    gpu: Gpu
    gpus: int
    a: Assumptions = field(default_factory=Assumptions)

    def gpus_granted(self, stage: str, arm: str = "") -> int:
        """GPUs that a job gets: what its scale asks for, as far as there are so many."""
        return max(1, min(self.runs.needs(stage, arm).gpus, self.gpus))

    @cached_property
    def trainings(self) -> list[Run]:
        """Every training."""
        pairs = jobs.trainings(self.runs, self.experiments)
        return [self.runs.run(*pair) for pair in pairs if pair[0] not in self.runs.fetched]

    @property
    def arms(self) -> list[Run]:
        """One training of each arm."""
        return list({run.arm: run for run in self.trainings}.values())

    @cached_property
    def trained(self) -> dict[tuple[str, int], float]:
        """Seconds of every training by (arm, seed)."""
        scale = self.runs.scale
        each = {}
        for run in self.trainings:
            first_seed = (run.arm, 0)  # a seed changes no cost
            if first_seed not in each:
                each[first_seed] = work.train_seconds(run, scale, self.gpu, self.a, self.gpus_granted("train", run.arm))
        return {(run.arm, run.seed): each[run.arm, 0] for run in self.trainings}

    @cached_property
    def hours(self) -> dict[str, Hours]:
        """GPU-hours by arm."""
        by_arm: dict[str, Hours] = defaultdict(Hours)
        for (arm, _), seconds in self.trained.items():
            gpus = self.gpus_granted("train", arm)
            by_arm[arm].runs += 1
            by_arm[arm].gpus = gpus
            by_arm[arm].train += seconds * gpus / 3600
        for split, seeds, arm in jobs.batches(self.runs, self.experiments):
            prompts = self.a.test_prompts if split == "test" else self.runs.scale.world.validation
            run = self.runs.run(arm, seeds[0])
            seconds = work.generate_seconds(run, self.runs.scale, split, prompts, self.gpu, self.a)
            by_arm[arm].generate += len(seeds) * seconds * self.gpus_granted("generate", arm) / 3600
        return dict(by_arm)

    @cached_property
    def teach_seconds(self) -> float:
        return teaching.seconds(self.runs.scale.world, self.gpu, self.a, self.gpus_granted("teach"))

    @cached_property
    def other_hours(self) -> dict[str, float]:
        """GPU-hours of the stages that no arm has: the teacher's, and at most those of LIMITED."""
        counts = jobs.by_stage(self.runs, self.experiments)
        return {"teach": self.teach_seconds * self.gpus_granted("teach") / 3600} | {
            stage: counts.get(stage, 0) * self.runs.needs(stage).minutes * self.gpus_granted(stage) / 60
            for stage in LIMITED
        }

    @property
    def total_hours(self) -> float:
        return sum(hours.total for hours in self.hours.values()) + sum(self.other_hours.values())

    @property
    def days(self) -> float:
        """Wall-clock days at least: all GPUs busy, and no less than the longest chain of jobs."""
        longest = max((work.chain(run, self.trained) for run in self.trainings), default=0.0)
        return max(self.total_hours / self.gpus, (self.teach_seconds + longest) / 3600) / 24

    @cached_property
    def disk(self) -> dict[str, float]:
        """Bytes: downloads, the checkpoints of all trainings, the states of those that run at a time."""
        shapes = {run.arm: work.policy(run) for run in self.trainings}
        at_once = max((self.gpus // self.gpus_granted("train", arm) for arm in shapes), default=0)
        return {
            "downloads": sum(work.download(shape_of(model)) for model in self.models),
            "checkpoints": sum(work.checkpoint(shapes[run.arm]) for run in self.trainings),
            "unfinished trainings": at_once
            * max((work.resumable(s, sharded=self.runs.scale.compute.sharded) for s in shapes.values()), default=0),
        }

    @cached_property
    def fetched(self) -> list[Run]:
        pairs = jobs.trainings(self.runs, self.experiments)
        return [self.runs.run(*pair) for pair in pairs if pair[0] in self.runs.fetched]

    @property
    def lengths(self) -> fit.Lengths:
        scale = self.runs.scale
        longest = scale.world.prompt_tokens
        return fit.Lengths(longest, longest, scale.world.teacher.max_tokens, scale.evaluation.max_new_tokens)

    @cached_property
    def peaks(self) -> dict[tuple[str, str], fit.Parts]:
        """Bytes on a GPU at the fullest moment of each training and evaluation, by (stage, arm)."""
        scale, peaks = self.runs.scale, {}
        base, judge = work.base(scale), work.judge_of(scale)
        for run in self.arms:
            if self._unshared(run):
                continue
            peaks["train", run.arm] = fit.training(
                run,
                work.policy(run),
                judge,
                scale.evaluation,
                devices=self.gpus_granted("train", run.arm),
                gpu=self.gpu.memory,
                lengths=self.lengths,
                a=self.a,
            )
        for _, _, arm in jobs.batches(self.runs, self.experiments):
            if arm in self.runs.comparators:
                continue  # vLLM alone, which `does_not_fit` looks at
            shape = work.policy(self.runs.run(arm, 0))
            peaks["generate", arm] = fit.generation(
                shape, base, scale.compute, gpu=self.gpu.memory, lengths=self.lengths, a=self.a
            )
        return peaks

    @cached_property
    def does_not_fit(self) -> list[str]:
        """One line for each kind of job that cannot run on these GPUs, with the setting to change."""
        scale, gpu = self.runs.scale, self.gpu.memory
        lines = [fit.refusal(names, parts, gpu) for names, parts in group_by_peak(self.peaks)]
        lines += map(self._unshared, self.arms)
        for _, _, arm in jobs.batches(self.runs, self.experiments):
            run, share = self.runs.run(arm, 0), scale.compute.vllm_memory
            share = harness.ALONE if arm in self.runs.comparators else share
            context, gpus = work.root(run).settings.context, self.gpus_granted("generate", arm)
            least, has = fit.vllm(work.policy(run), context, gpu=gpu, memory_share=share, gpus=gpus)
            lines.append(fit.refusal_of_vllm(f"generate {arm}", least, has, share))
        lines.append(self._teacher())
        return [line for line in dict.fromkeys(lines) if line]

    def _unshared(self, run: Run) -> str | None:
        """One line where the GPUs cannot share a step's rows equally."""
        try:
            list(fit.passes(run, self.gpus_granted("train", run.arm), self.lengths))
        except UserError as error:
            return f"train {run.arm}: {error}"
        return None

    def _teacher(self) -> str | None:
        """One line where the teacher does not fit."""
        teacher = self.runs.scale.world.teacher
        elsewhere = "serve it elsewhere (--config teacher=URL), or choose another teacher"
        if teacher.tensor_parallel > self.gpus:
            fewer = [n for n in POWERS if n <= self.gpus and operator.le(*self._teacher_on(n))][-1:]
            smaller = [
                f"set tensor_parallel={n} in its world.teacher (experiments/scales.py), which fits" for n in fewer
            ]
            return (
                f"teach: world.teacher.tensor_parallel={teacher.tensor_parallel} and there are {self.gpus} GPU(s): "
                + ", ".join([*smaller, elsewhere])
            )
        least, has = self._teacher_on(teacher.tensor_parallel)
        if least > has:
            return (
                f"teach: vLLM needs {least / 1e9:.1f} GB on each GPU and has {has / 1e9:.1f}: raise "
                f"world.teacher.tensor_parallel (experiments/scales.py), or {elsewhere}"
            )
        return None

    def _teacher_on(self, gpus: int) -> tuple[float, float]:
        """Bytes that the teacher's vLLM needs on each of so many GPUs, and those that it has."""
        teacher = self.runs.scale.world.teacher
        shape, share = shape_of(teacher.model), harness.ALONE
        return fit.vllm(shape, teacher.max_model_len, gpu=self.gpu.memory, memory_share=share, gpus=gpus)

    @cached_property
    def models(self) -> list[str]:
        """The models that the plan reckons with: those that are fetched, and the teacher."""
        fetched = {run.settings.model for run in self.fetched}
        return sorted(fetched | {self.runs.scale.world.teacher.model})

    @property
    def cache_tokens(self) -> int:
        """Tokens of keys and values that vLLM has room for beside a training."""
        shape = work.base(self.runs.scale)
        room = self.runs.scale.compute.vllm_memory * self.gpu.memory - memory.parameters(shape, memory.HALF)
        return max(0, int(room // memory.kv_cache(shape, 1)))
