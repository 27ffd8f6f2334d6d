"""The plan of a scale without GPUs, as numbers: hours per stage at measured rates, as many jobs at a time as these were
measured with."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from uniapl.config import Run
from uniapl.config.resources import memory_here
from uniapl.config.runs import Runs
from uniapl.costs import fit, jobs, machine, work
from uniapl.costs.assumptions import DEFAULT, ON_CPU, Assumptions, OnCpu
from uniapl.costs.estimate import Hours, group_by_peak
from uniapl.costs.rates import COMMITTED, Lengths, Rates, decode, rates_for
from uniapl.costs.teaching import answers_per_prompt

AGAIN = 5 / 3  # answers of the base to a prompt of the discriminator's triples: uniapl/data/everyday/comparisons.py
SIDES = 2  # texts of a pair, and texts (own, expert) and models (self, base) of an evaluation's log-probabilities


@dataclass(frozen=True)
class CpuEstimate:
    """`experiments` of `runs` at these `rates` (of the file `path`), on a machine with so many bytes of `memory`, at
    which `at_once` jobs run at a time."""

    runs: Runs
    experiments: list[str]
    rates: Rates
    memory: float
    path: Path = COMMITTED
    at_once: int = 1
    c: OnCpu = field(default=ON_CPU)

    @cached_property
    def lengths(self) -> Lengths:
        return Lengths(self.c.median, self.c.spread)

    def tokens(self, limit: int) -> Assumptions:
        """Mean tokens of prompts, of the teacher's answers, and of responses that are cut at `limit`."""
        response, taught = self.lengths.mean(limit), self.lengths.mean(self.runs.scale.world.base.max_tokens)
        return replace(DEFAULT, prompt_tokens=self.c.prompt_tokens, response_tokens=response, teacher_tokens=taught)

    def sampled(self, answers: float, batch: int, prompts: float, prompt: float, limit: int) -> float:
        """Seconds of so many answers, `batch` at a time; of them `prompts` prompts are read."""
        whole, rest = divmod(answers, batch)
        sizes = [(whole, batch), (1, rest)]
        answering = sum(
            n * decode(self.rates, rows, prompt, limit, self.lengths, self.c.idle) for n, rows in sizes if n * rows
        )
        return answering + prompts * prompt / self.rates.forward

    @cached_property
    def judged(self) -> float:
        """What a token costs the discriminator, as a share of what it costs the policy: parameters it meets."""
        judge = machine.judge_of(self.runs)
        return judge.multiplied / work.base(self.runs.scale).multiplied if judge else 0.0

    def step(self, run: Run) -> dict[str, float]:
        """Seconds of one optimizer step, by what they are spent on."""
        s, (rollouts, _) = run.settings, fit.per_step(run)
        parts = {"other": self.c.step_seconds}
        if hasattr(s, "pairs_per_step"):
            a = self.tokens(s.response_tokens)
            tokens = s.pairs_per_step * SIDES * 2 * (a.prompt_tokens + a.response_tokens)
            return parts | {"pass": tokens * self.judged / self.rates.train}
        a = self.tokens(s.max_new_tokens if rollouts else 0)
        read = work.read_per_step(run, run.world, a, gpus=1)
        parts["pass"] = sum(tokens for tokens, _ in read.values()) / self.rates.train
        if rollouts:
            groups = rollouts / s.group
            parts["rollouts"] = self.sampled(rollouts, rollouts, groups, a.prompt_tokens, s.max_new_tokens)
        if rollouts and fit.reads_discriminator(run):
            tokens = work.scored_tokens(rollouts, s.group, a)
            parts["discriminator"] = tokens * self.judged / self.rates.forward
        return parts

    @cached_property
    def probe(self) -> float:
        """Seconds of one measurement: answers, which policy, base and discriminator read."""
        evaluation = self.runs.scale.evaluation
        rows, limit, prompt = evaluation.probe_prompts, evaluation.max_new_tokens, self.c.prompt_tokens
        a = self.tokens(limit)
        reading = 2 * rows * (prompt + a.response_tokens) + self.judged * work.scored_tokens(rows, 1, a)
        return self.sampled(rows, rows, rows, prompt, limit) + reading / self.rates.forward

    def train_seconds(self, run: Run) -> float:
        """Seconds of a training. The shared arms, which the probe needs, have none."""
        s = run.settings
        probes = 0 if run.arm in self.runs.shared else 1 + s.steps // s.probe_every
        return self.c.start_seconds + s.steps * sum(self.step(run).values()) + probes * self.probe

    def benchmarks(self, split: str) -> dict[str, int]:
        """Prompts of each benchmark that a split asks."""
        if split == "validation":
            return {"trained": self.runs.scale.world.validation}
        names = ("trained", "held_out_types", "new_types")
        return dict(zip(names, self.c.published, strict=True)) | {"new_topics": self.runs.scale.world.test}

    def generate_seconds(self, split: str) -> dict[str, float]:
        """Seconds of one checkpoint's evaluation: of a decoding of each benchmark, its share; of log-probabilities."""
        evaluation, prompts = self.runs.scale.evaluation, self.benchmarks(split)
        limit, asked, count = evaluation.max_new_tokens, self.c.asked_tokens, sum(prompts.values())
        decoding = self.sampled(count, evaluation.batch, count, asked, limit)
        measured = min(evaluation.measured_prompts or math.inf, prompts["trained"])
        tokens = SIDES * SIDES * measured * (asked + self.lengths.mean(limit))
        each = {name: decoding * n / count for name, n in prompts.items()}
        return each | {"log-probabilities": tokens / self.rates.forward}

    def evaluated(self, split: str) -> float:
        """Seconds of one checkpoint's evaluation in all."""
        evaluation, each = self.runs.scale.evaluation, self.generate_seconds(split)
        drawn, read = evaluation.drawn(split), each.pop("log-probabilities")
        return self.c.start_seconds + len(drawn) * sum(each.values()) + (read if evaluation.measured in drawn else 0)

    def hours(self, seconds: float) -> float:
        """Hours of the whole machine that a job of so many seconds takes: others run beside it.

        One that has all cores to itself (teach, data) is taken to be as fast as these together.
        """
        return seconds / self.rates.jobs / 3600

    @cached_property
    def arms(self) -> dict[str, Hours]:
        """Hours by arm: its trainings at all seeds, and the evaluations of its checkpoints."""
        hours: dict[str, Hours] = {}
        pairs = jobs.trainings(self.runs, self.experiments)
        for arm, runs in Counter(arm for arm, _ in pairs if arm not in self.runs.fetched).items():
            hours[arm] = Hours(runs=runs, train=runs * self.hours(self.train_seconds(self.runs.run(arm, 0))))
        for split, seeds, arm in jobs.batches(self.runs, self.experiments):
            hours.setdefault(arm, Hours()).generate += len(seeds) * self.hours(self.evaluated(split))
        return hours

    @cached_property
    def other(self) -> dict[str, float]:
        """Hours of the stages that no arm has."""
        world, c = self.runs.scale.world, self.c
        tests, batch = sum(self.benchmarks("test").values()), world.base.concurrency
        asked = world.train + world.validation + tests
        mean = ((asked - tests) * c.prompt_tokens + tests * c.asked_tokens) / asked
        answers = round(asked * answers_per_prompt(c.accepted, world.base.attempts))
        teach = self.sampled(answers, batch, answers, mean, world.base.max_tokens)
        more = round(world.comparisons * AGAIN)
        data = self.sampled(more, batch, more, c.prompt_tokens, world.base.max_tokens)
        suite = decode(self.rates, c.suite_batch, c.question_tokens, c.suite_limit, self.lengths, c.idle)
        suite *= c.questions / c.suite_batch
        suite += (c.questions * c.question_tokens + c.texts_tokens) / self.rates.forward
        seconds = {"teach": c.start_seconds + teach, "data": c.start_seconds + data}
        suites = jobs.by_stage(self.runs, self.experiments).get("suite", 0)
        return {stage: self.hours(n) for stage, n in (seconds | {"suite": suites * (c.start_seconds + suite)}).items()}

    @property
    def total(self) -> float:
        return sum(hours.total for hours in self.arms.values()) + sum(self.other.values())

    @cached_property
    def peaks(self) -> dict[tuple[str, str], fit.Parts]:
        """Bytes at the fullest moment of each job, by (stage, arm)."""
        return machine.peaks(self.runs, self.experiments)

    @cached_property
    def does_not_fit(self) -> list[str]:
        """One line for each kind of job that the machine's memory cannot hold, with the setting to change."""
        lines = [machine.refusal(names, parts, self.memory, self.at_once) for names, parts in group_by_peak(self.peaks)]
        return [line for line in lines if line]


def on_this_machine(runs: Runs, experiments: list[str]) -> CpuEstimate | None:
    """The plan on this machine; None where there is no arithmetic for the scale on a CPU. Raises UserError as
    `rates_for`."""
    if not machine.planned(runs.scale):
        return None
    rates, path = rates_for(runs.scale.name, machine.model_of(runs.scale))
    return CpuEstimate(runs, experiments, rates, memory_here(), path, machine.at_once(runs))
