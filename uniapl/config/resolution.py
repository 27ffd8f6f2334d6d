"""From scales and arms to runs: every setting with its value, and the refusal of what has none."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any

from uniapl.config.fair import check_claims
from uniapl.config.load import check_arm, check_name, choose, experiment_names, load_experiment
from uniapl.config.method import Method, Settings, check_method, name_of, needs_checkpoint
from uniapl.config.model import ONCE, Arm, Experiment, Run, Scale
from uniapl.config.resources import STAGES
from uniapl.errors import UserError

SCALES = "experiments/scales.py"
OF_DISCRIMINATOR = ("auc", "distance")  # quantities of claims that need the frozen discriminator
OF_PROBE = ("auc",)  # and those that need a training with a probe, which no sharded one has


def asked_at(experiment: Experiment, scale: Scale) -> Experiment:
    """The experiment as the scale can answer it: no claim about a discriminator or a probe that it has not."""
    if scale.discriminator and not scale.compute.sharded:
        return experiment
    unknown = OF_PROBE if scale.discriminator else OF_DISCRIMINATOR
    claims = tuple(claim for claim in experiment.claims if claim.quantity not in unknown)
    return dataclasses.replace(experiment, claims=claims)


def experiments_of(scale: Scale) -> list[Experiment]:
    """Every experiment that can be asked at the scale, in alphabetical order."""
    experiments = map(load_experiment, experiment_names())
    return [asked_at(experiment, scale) for experiment in experiments if scale.kind in experiment.worlds]


def all_arms(scale: Scale, experiments: list[Experiment]) -> dict[str, Arm]:
    """Every arm by name, the shared ones first. Raises UserError where two files define one differently."""
    arms: dict[str, Arm] = {arm.name: arm for arm in scale.shared}
    for experiment in experiments:
        for arm in experiment.arms:
            if arms.setdefault(arm.name, arm) != arm:
                where = f"experiments/{experiment.name}.py"
                raise UserError(f"{where}: arm {arm.name!r} is already defined with other settings")
    return arms


def _types(field: dataclasses.Field) -> set[type]:
    """The types of a setting: its annotation's and its default's. An int may stand for a float, a list for a tuple."""
    union = typing.get_origin(field.type) in (types.UnionType, typing.Union)
    hints = typing.get_args(field.type) if union else (field.type,)
    accepted = {typing.get_origin(hint) or hint for hint in hints}
    accepted |= {type(field.default)} if field.default is not dataclasses.MISSING else set()
    if typing.Any in accepted or not any(isinstance(each, type) for each in accepted - {types.NoneType}):
        return {object}  # the annotation says nothing, or is text
    accepted |= {int} if float in accepted else set()
    return accepted | ({tuple, list} if accepted & {tuple, list} else set())


@functools.cache
def _fields(settings_class: type) -> dict[str, tuple[dataclasses.Field, set[type]]]:
    """(field, types) of every setting."""
    return {field.name: (field, _types(field)) for field in dataclasses.fields(settings_class)}


def _check_values(method: Method, values: Mapping[str, Any], where: str) -> None:
    """Raise UserError for a setting that the method does not have, and a value of another type."""
    fields = _fields(method.Settings)
    for key, value in values.items():
        choose(f"setting of {name_of(method)} in {where}", key, fields)
        field, accepted = fields[key]
        if type(value) not in accepted and object not in accepted:
            like = f"its default, {field.default!r}"
            if field.default is dataclasses.MISSING:
                like = f"its annotation, {getattr(field.type, '__name__', field.type)}"
            raise UserError(
                f"setting {key} of {name_of(method)} in {where} is {value!r}: must be of the type of {like}"
            )


def usual_settings(scale: Scale, method: Method) -> dict[str, Any]:
    """What is set of a method at a scale where the arm changes nothing; what only an arm states is left out.

    Raises UserError for a method that the scale does not list.
    """
    if method not in scale.settings:
        listed = ", ".join(map(name_of, scale.settings)) or "none"
        raise UserError(
            f"scale {scale.name!r} lists no settings of {name_of(method)} (it has {listed}): state its rates, steps, "
            f"batches and lengths there ({SCALES})"
        )
    fields = _fields(method.Settings)
    defaults = {name: field.default for name, (field, _) in fields.items() if field.default is not dataclasses.MISSING}
    return defaults | dict(scale.settings[method])


def settings_of(scale: Scale, arm: Arm) -> Settings:
    """The arm's `Settings`: the scale's for its method, its rate, and the arm's changes, where the scale lets it.

    Raises UserError for a method or rate that the scale does not list, a setting without a value there, and a typo.
    """
    where = f"arm {arm.name!r}"
    check_method(arm.method, where)
    values = usual_settings(scale, arm.method)
    if arm.rate:
        choose(f"rate of {where} at scale {scale.name!r} ({SCALES})", arm.rate, scale.rates)
        values["learning_rate"] = scale.rates[arm.rate]
    changes = {name: value for name, value in arm.changes.items() if name not in scale.fixed_settings}
    _check_values(arm.method, arm.changes, where)
    values |= changes
    _check_values(arm.method, values, where)
    if lacking := [name for name in _fields(arm.method.Settings) if name not in values]:
        raise UserError(
            f"{where} has no {', '.join(lacking)} at scale {scale.name!r}: state it in the settings of "
            f"{name_of(arm.method)} there ({SCALES}), or in the arm"
        )
    return arm.method.Settings(**values)


def resolve(scale: Scale, arms: Mapping[str, Arm], name: str, seed: int) -> Run:
    """The run of arm `name` at `seed` and, in it, of its start. UserError for an unknown arm, a cycle."""

    def run(name: str, after: tuple[str, ...]) -> Run:
        if name in after:
            raise UserError(f"arm {name!r} starts from itself: {' -> '.join((*after, name))}")
        arm = arms[choose("arm", name, arms)]
        return Run(
            scale=scale.name,
            arm=name,
            seed=ONCE[0] if arm.once else seed,
            method=arm.method,
            settings=settings_of(scale, arm),
            world=scale.world,
            compute=scale.compute,
            start=None if arm.start == "scratch" else run(arm.start, (*after, name)),
        )

    return run(name, ())


def arm_of(scale: Scale, name: str, seed: int) -> Run:
    """The run of any experiment's arm. Raises UserError as `resolve`."""
    return resolve(scale, all_arms(scale, experiments_of(scale)), name, seed)


def seeds_of(scale: Scale, experiment: Experiment, arm: Arm) -> tuple[int, ...]:
    """The seeds at which an experiment runs an arm."""
    if arm.once:
        return ONCE
    return experiment.seeds or scale.seeds[: scale.most_seeds.get(experiment.name, experiment.most_seeds)]


def check_run(scale: Scale, run: Run) -> None:
    """Raise UserError for a run whose loss or reward reads a discriminator that the scale does not have."""
    if not scale.discriminator and needs_checkpoint(run.settings):
        raise UserError(
            f"arm {run.arm!r} reads a discriminator, and scale {scale.name!r} has none in `shared` ({SCALES}): "
            "add one, or give the arm a discriminator without a checkpoint (cotrained, random, length), or lam = 0"
        )


def check_scale(scale: Scale) -> None:
    """Raise UserError for a mistake in the scale, in what an experiment asks of it, and in a claim at this scale."""
    where = f"scale {scale.name!r}"
    check_name(scale.name, where)
    for arm in scale.shared:
        check_arm(arm, where)
    for stage in scale.resources:
        choose(f"stage in the resources of {where}", stage.split("/")[0], STAGES)
    for method, values in scale.settings.items():
        check_method(method, where)
        _check_values(method, values, where)
    if scale.unequal and len(scale.seeds) > 1:
        raise UserError(
            f"{where} has {len(scale.seeds)} seeds, which decide claims: `unequal` must be empty ({SCALES})"
        )
    experiments = experiments_of(scale)
    arms = all_arms(scale, experiments)
    runs = {name: resolve(scale, arms, name, 0) for name in arms}
    for run in runs.values():
        check_run(scale, run)
    for experiment in experiments:
        check_claims(scale, experiment, runs)
