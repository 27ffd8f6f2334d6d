"""Tokens and time of the teacher's answers."""

from dataclasses import dataclass

from uniapl.costs.assumptions import Assumptions
from uniapl.costs.gpus import Gpu
from uniapl.costs.shapes import shape_of
from uniapl.costs.time import decode
from uniapl.data.public.world import Public


def answers_per_prompt(acceptance: float, attempts: int) -> float:
    """Mean answers until one passes, at most `attempts`: (1 - (1 - p)^n) / p, the mean of a cut geometric law."""
    return (1 - (1 - acceptance) ** attempts) / acceptance if acceptance else float(attempts)


@dataclass(frozen=True)
class Teaching:
    """`answers` to `prompts`; tokens of both sides; `most_tokens` where every answer is as long as it may be."""

    prompts: int
    answers: float
    prompt_tokens: float
    response_tokens: float
    most_tokens: float
    demonstrations: float

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.response_tokens


def teaching(world: Public, a: Assumptions) -> Teaching:
    """What a world asks of its teacher: training, validation and test prompts."""
    teacher, prompts = world.teacher, world.train + world.validation + a.test_prompts
    answers = prompts * answers_per_prompt(a.acceptance, teacher.attempts)
    return Teaching(
        prompts=prompts,
        answers=answers,
        prompt_tokens=answers * a.prompt_tokens,
        response_tokens=answers * a.teacher_tokens,
        most_tokens=prompts * teacher.attempts * (a.prompt_tokens + teacher.max_tokens),
        demonstrations=world.train * (1 - (1 - a.acceptance) ** teacher.attempts),
    )


def seconds(world: Public, gpu: Gpu, a: Assumptions, gpus: int) -> float:
    """Of the teacher on its GPUs, `concurrency` answers at a time."""
    teacher, work = world.teacher, teaching(world, a)
    return a.start_seconds + decode(
        shape_of(teacher.model),
        work.answers,
        a.prompt_tokens,
        a.teacher_tokens,
        teacher.max_tokens,
        gpu,
        a,
        gpus=gpus,
        sequences=teacher.concurrency,
    )


def price(work: Teaching, per_million_in: float, per_million_out: float) -> float:
    """Of an endpoint that charges so much per million tokens of prompts and of answers."""
    return (work.prompt_tokens * per_million_in + work.response_tokens * per_million_out) / 1e6
