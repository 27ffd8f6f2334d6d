"""What Snakemake's log of a run says: jobs planned, at work, finished and failed, and how long the rest takes. Pure.

The log is the file that Snakemake writes for every run into .snakemake/log. A job that failed and was begun again
counts as what it is now.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from uniapl.errors import first_names

Seconds = Mapping[str, float]  # by rule, or by the number of a job
RUNNING, DONE, FAILED = "running", "done", "failed"
WHEN = re.compile(r"\[(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]")
BEGUN = re.compile(r"(?:local)?(?:rule|checkpoint) (\S+):")
FINISHED = re.compile(r"Finished jobid: (\d+) ")
BROKEN = re.compile(r"Error in rule (\S+):")
PLANNED = re.compile(r"(\S+) +(\d+)")


@dataclass
class Job:
    """A job that was begun: its rule, wildcards, log, and seconds since 1970 of begin and end (None: at work)."""

    rule: str
    begun: float
    state: str = RUNNING
    ended: float | None = None
    wildcards: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def seconds(self, now: float) -> float:
        """How long it took, or has taken so far."""
        return (now if self.ended is None else self.ended) - self.begun

    @property
    def name(self) -> str:
        """Rule and wildcards, without the scale, which all have."""
        return " ".join([self.rule, *(v for k, v in self.wildcards.items() if k != "scale" and v)])


@dataclass
class Run:
    """A run of Snakemake: jobs planned by rule, and those begun by their number."""

    planned: Counter[str] = field(default_factory=Counter)
    jobs: dict[str, Job] = field(default_factory=dict)

    def count(self, state: str) -> Counter[str]:
        """Jobs in this state, by rule."""
        return Counter(job.rule for job in self.jobs.values() if job.state == state)

    @property
    def waiting(self) -> Counter[str]:
        """Jobs planned and not begun, by rule."""
        return self.planned - Counter(job.rule for job in self.jobs.values())

    @property
    def begun(self) -> float | None:
        """When the first job began."""
        return min((job.begun for job in self.jobs.values()), default=None)

    @property
    def scale(self) -> str | None:
        """The scale of its jobs; None where no job of a scale was begun."""
        return next((job.wildcards["scale"] for job in self.jobs.values() if "scale" in job.wildcards), None)


def read(text: str) -> Run:
    """The run of a log, also of one that is still being written."""
    run, now, job, in_plan, number_of_failed = Run(), 0.0, None, False, False
    for line in text.splitlines():
        if line == "Job stats:":
            run, in_plan = Run(), True  # a run that plans again says all of it again
        elif in_plan and not line.strip():
            in_plan = False
        elif in_plan:
            if (found := PLANNED.fullmatch(line.strip())) and found[1] not in ("job", "total"):
                run.planned[found[1]] = int(found[2])
        elif found := WHEN.fullmatch(line):
            now = datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y").timestamp()
        elif found := BEGUN.fullmatch(line):
            job, number_of_failed = Job(found[1], now), False
        elif BROKEN.fullmatch(line):
            job, number_of_failed = None, True
        elif found := FINISHED.match(line):
            end(run, found[1], DONE, now)
        elif line.startswith("    jobid: "):
            number = line.split()[1]
            if number_of_failed:
                end(run, number, FAILED, now)
            elif job:
                run.jobs[number] = job
        elif job and line.startswith("    log: "):
            job.log = line.removeprefix("    log: ").split(", ")[0]
        elif job and line.startswith("    wildcards: "):
            pairs = (pair.partition("=") for pair in line.removeprefix("    wildcards: ").split(", "))
            job.wildcards |= {name: value for name, _, value in pairs}
    return run


def end(run: Run, number: str, state: str, now: float) -> None:
    if number in run.jobs:
        run.jobs[number].state, run.jobs[number].ended = state, now


def expected_seconds(run: Run, before: Seconds) -> dict[str, float]:
    """Mean seconds of a job by rule: of this run's finished ones, else of `before`, earlier runs' means."""
    taken = defaultdict(list)
    for job in run.jobs.values():
        if job.state == DONE:
            taken[job.rule].append(job.ended - job.begun)
    return {**before, **{rule: sum(seconds) / len(seconds) for rule, seconds in taken.items()}}


def seconds_left(
    run: Run, now: float, before: Mapping[str, float], left: Mapping[str, float]
) -> tuple[float, set[str]]:
    """(seconds until all is done, rules whose time nobody knows, which are not in them).

    Jobs at work and jobs to come, at the mean number of jobs that were at work at a time so far. `before`: as in
    `expected_seconds`; `left`: seconds that jobs at work say of themselves, by their number.
    """
    expected, rest, unknown = expected_seconds(run, before), 0.0, set()
    for number, job in run.jobs.items():
        if job.state == RUNNING:
            rest += left.get(number, max(0.0, expected.get(job.rule, 0.0) - job.seconds(now)))
            unknown |= {job.rule} - expected.keys() if number not in left else set()
    for rule, count in run.waiting.items():
        rest += count * expected.get(rule, 0.0)
        unknown |= {rule} - expected.keys()
    busy = sum(job.seconds(now) for job in run.jobs.values())
    at_once = max(1.0, busy / max(1.0, now - run.begun)) if run.jobs else 1.0
    return rest / at_once, unknown - {"all", "extended"}


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def line(run: Run, now: float, before: Seconds, left: Seconds, *, alive: bool = True) -> str:
    """`12 of 105 jobs done, 2 running, 1 failed, about 14 min left`; of a run that ended early without what is left."""
    counts = {state: run.count(state).total() for state in (DONE, RUNNING, FAILED)}
    said = f"{counts[DONE]} of {run.planned.total()} jobs done, {counts[RUNNING]} {'running' if alive else 'cut off'}"
    said += f", {counts[FAILED]} failed" if counts[FAILED] else ""
    if not alive or not counts[RUNNING] and not run.waiting:
        return said
    rest, unknown = seconds_left(run, now, before, left)
    more = f"{first_names(sorted(unknown))}, whose time is not known yet" if unknown else ""
    if not rest and more:
        return f"{said}, left: {more}"
    return f"{said}, about {duration(rest)} left{' and ' if more else ''}{more}"
