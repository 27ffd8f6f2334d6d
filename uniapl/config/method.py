"""What a training method is: the contract of a module of baselines/ with the rooms that train, plan and report it."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from uniapl.errors import UserError

if TYPE_CHECKING:
    from transformers import Trainer

    from uniapl.config.job import Job

CONTROLS = ("random", "length")  # discriminators that are no model
EXAMPLE = "baselines/grpo.py has one"


def setting(default: Any, source: str) -> Any:
    """A field of a method's `Settings` whose value holds at every scale, and its source: a paper, a library, ours."""
    return field(default=default, metadata={"source": source})


def per_scale(source: str) -> Any:
    """A field of a method's `Settings` without a value of its own: every scale that has the method states one.

    For learning rates, numbers of steps, batches and lengths: what is right in a miniature is wrong elsewhere.
    """
    return field(metadata={"source": source})


class Settings(Protocol):
    """A frozen dataclass with keyword fields alone, each made by `setting` or `per_scale`.

    Other rooms read these fields by name: `steps`, `save_every`, `probe_every` of every method that trains
    (uniapl.config.job.Optimization has them); `max_new_tokens` and `group` where `most_per_step` says that there are
    rollouts; `lam`, `lam_step`, `lam_penalty` and `discriminator` where a discriminator scores them (`scored_by`).
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field]]


class StepRows(NamedTuple):
    """Rows that one optimizer step consumes, over all devices."""

    demonstration_rows: int = 0
    rollouts: int = 0


class Method(Protocol):
    """A training method: a module with these four names. An arm names the module: `Arm("grpo", method=grpo)`.

    To add one, write the module and list it in the `settings` of every scale that runs it (experiments/scales.py); what
    is missing is refused before anything is trained. The reward is the column `reward` of the history where the reward
    function is uniapl.checkers.reward.follows_all.
    """

    Settings: type[Settings]
    """What can be set, each with its source."""

    METRICS: Mapping[str, str]
    """Name -> what it is, of the metrics that the trainer logs beside the shared ones (uniapl/config/metrics.py).

    Each is a column of history.csv and a training curve. A metric that is logged and nowhere declared ends the training
    at its first step. A method whose data decide how many rows a step consumes logs `demonstration_rows` or `rollouts`,
    and `demonstration_tokens`, summed over devices: the run card then has the real numbers.
    """

    build: "Callable[[Job], Trainer] | None"
    """`build(job)`: the trainer of a run, ready to train. None for a method that fetches its checkpoint instead.

    Raises UserError, or ValueError, for settings that it refuses. What takes long to import (torch, TRL, the checkers'
    reward) is imported here and not by the module, which every command reads.
    """

    def most_per_step(self, settings: Any) -> StepRows:
        """The most rows that one optimizer step can consume: what budgets and GPU memory are planned with."""
        ...


def is_fetched(method: Method) -> bool:
    """Whether checkpoints of this method are downloaded, not trained."""
    return method.build is None


def name_of(method: Method) -> str:
    """The dotted name of the method's module."""
    return method.__name__


def scored_by(settings: Settings) -> str | None:
    """The kind of discriminator whose score enters the loss or the reward; None where none does.

    "frozen" is the scale's own, of a method that has no choice.
    """
    if not any(getattr(settings, name, 0) > 0 for name in ("lam", "lam_step", "lam_penalty")):
        return None
    return getattr(settings, "discriminator", "frozen")


def needs_checkpoint(settings: Settings) -> bool:
    """Whether the score comes from the scale's frozen discriminator."""
    return scored_by(settings) not in (None, "cotrained", *CONTROLS)


def check_method(method: object, where: str) -> None:
    """Raise UserError where this is no module, or lacks a part of the contract."""
    if isinstance(method, str):
        package, _, name = method.rpartition(".")
        remedy = f"`from {package or 'baselines'} import {name}`, then method={name}"
        raise UserError(f"{where}: the method is the text {method!r}, not a module: {remedy}")
    if not hasattr(method, "__name__"):
        raise UserError(f"{where}: the method is {method!r:.60}, not a module")
    subject = f"{where}: method {name_of(method)}"
    settings = getattr(method, "Settings", None)
    if not (isinstance(settings, type) and dataclasses.is_dataclass(settings)):
        raise UserError(f"{subject} has no dataclass Settings; {EXAMPLE}")
    if not hasattr(method, "build"):
        raise UserError(f"{subject} has no build(); {EXAMPLE}")
    if is_fetched(method):
        return
    if not hasattr(method, "most_per_step"):
        raise UserError(f"{subject} has no most_per_step(); {EXAMPLE}")
    metrics = getattr(method, "METRICS", None)
    if not isinstance(metrics, Mapping) or not all(isinstance(x, str) for pair in metrics.items() for x in pair):
        raise UserError(f"{subject} has no METRICS, a dictionary of name and meaning of what it logs; {EXAMPLE}")
