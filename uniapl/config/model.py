"""What is asked: scales, arms and experiments, resolved into runs. Imports no torch and writes nothing."""

import dataclasses
import difflib
import functools
import hashlib
import importlib
import json
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uniapl.config.resources import STAGES, Resources
from uniapl.errors import UserError
from uniapl.provenance import ROOT

EXPERIMENTS = ROOT / "experiments"
SPLITS = ("test", "validation")
DECODINGS = ("greedy", "sampled")
KINDS = ("miniature", "public")
FETCHED = "uniapl.train.fetch"  # the trainer of arms that are downloaded: it has `Settings` alone
NAME = re.compile("[a-z0-9_]+")  # the wildcards of the Snakefile
ONCE = (0,)  # the seeds of an arm that is trained once and shared by all seeds of the others


def setting(default: Any, source: str) -> Any:
    """A field of a trainer's `Settings` with the source of its value: the paper, a library, or `ours`."""
    return field(default=default, metadata={"source": source})


@dataclass(frozen=True)
class Arm:
    """A named recipe: one training, which starts from the checkpoint of another arm.

    `trainer` is a module with a dataclass `Settings` and the functions `build(job)` and `cost_per_step(settings)`, or
    FETCHED; `changes` are the settings that differ from the scale's; `start` names an arm of the same seed, or one that
    is trained once. Names of arms, experiments and scales are folders: NAME says what may be in them.
    """

    name: str
    trainer: str
    start: str = "base"
    changes: Mapping[str, Any] = field(default_factory=dict)
    once: bool = False


@dataclass(frozen=True)
class Sampling:
    """How a response is drawn. `top_k` = 0 keeps every token; `presence_penalty` is in nats, as vLLM subtracts it."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    presence_penalty: float = 0.0


ON_POLICY = Sampling()  # as the rollouts are drawn
PUBLISHED = Sampling(0.7, 0.8, 20, 1.5)  # Qwen3 Technical Report (arXiv 2505.09388), Sec. 4.6, without thinking


@dataclass(frozen=True)
class Evaluation:
    """How checkpoints are evaluated: tokens per response, prompts per batch, of the probe, and what `sampled` is."""

    max_new_tokens: int = 48
    batch: int = 256
    probe_prompts: int = 64
    sampled: Sampling = ON_POLICY


@dataclass(frozen=True)
class Compute:
    """How a scale's trainings and evaluations use their devices; what is trained does not depend on their number.

    `rows_per_device`: most rows of a step that one device reads at a time (None: all; the rest is accumulation).
    `rollouts` and `evaluate`: who generates, "transformers" or "vllm"; `vllm_memory`: the share of a GPU that vLLM
    takes beside the training; `sharded`: parameters, gradients and optimizer are spread over the devices (FSDP).
    """

    bf16: bool = False
    gradient_checkpointing: bool = False
    rows_per_device: int | None = None
    rollouts: str = "transformers"
    evaluate: str = "transformers"
    vllm_memory: float = 0.3
    sharded: bool = False


@dataclass(frozen=True)
class Scale:
    """Everything that differs between smoke, tiny and paper, as data.

    `world` says where prompts and demonstrations come from: the miniature's, or published data sets (`kind`).
    `shared` are the arms trained, or fetched, once (base, discriminator); `settings` maps a trainer module to its
    defaults; `keeps` names settings of which an arm's own value does not count, because it was tuned at another scale;
    `suite` names its general benchmarks (uniapl/generate/suite.py); `resources` maps a stage, or `stage/arm`, to what
    its jobs ask of a scheduler.
    """

    name: str
    hardware: str
    minutes: str
    seeds: tuple[int, ...]
    world: Any
    shared: tuple[Arm, ...]
    settings: Mapping[str, Mapping[str, Any]]
    evaluation: Evaluation
    suite: str = "miniature"
    keeps: tuple[str, ...] = ()
    compute: Compute = Compute()
    resources: Mapping[str, Resources] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """ "miniature" or "public": the rules that make its data, and the experiments that can be asked there."""
        return self.world.kind


@dataclass(frozen=True)
class Claim:
    """A sentence that the experiment can support or contradict, written before the run.

    `quantity` of `arm` is held against that of `against`, or against 0 where that is None; the claim is that the
    difference is `direction` ("above" or "below") `margin`, or "within" it on either side of 0. Quantities: accuracy
    (points, prompt-level strict, on `benchmark`), auc (of the discriminator, expert over policy, at the end), distance
    (expert's minus policy's score, at the end), entropy (nats per token), diversity (distinct bigrams, %), length
    (Wasserstein-1 to the expert, words).
    `source` is the tag of the paper's text that says it, or `ours`. Holm's adjustment is over the claims of one
    `family`; those that name none are the family of their experiment.
    """

    id: str
    sentence: str
    source: str
    quantity: str
    arm: str
    against: str | None
    direction: str
    margin: float = 0.0
    benchmark: str = "trained"
    family: str = ""


@dataclass(frozen=True)
class Experiment:
    """One question: the arms that answer it and the comparators that each arm is held against.

    `split` is the prompts file that scores it (test, or validation for the choice of settings); `seeds`
    overrides the scale's, `most_seeds` takes the first of the scale's; `extended` keeps it out of the default run;
    `kinds` are the kinds of world in which it can be asked.
    """

    name: str
    question: str
    expectation: str
    arms: tuple[Arm, ...]
    against: tuple[str, ...]
    split: str = "test"
    decoding: str = "greedy"
    seeds: tuple[int, ...] | None = None
    most_seeds: int | None = None
    claims: tuple[Claim, ...] = ()
    extended: bool = False
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True)
class Run:
    """An arm at one seed, with every setting resolved."""

    scale: str
    arm: str
    seed: int
    trainer: str
    settings: Any
    world: Any
    start: "Run | None"
    compute: Compute = Compute()

    def describe(self) -> dict:
        """The resolved configuration as plain JSON values: what the fingerprint covers."""
        differs = {"compute": dataclasses.asdict(self.compute)} if self.compute != Compute() else {}
        return differs | {
            "arm": self.arm,
            "seed": self.seed,
            "trainer": self.trainer,
            "settings": dataclasses.asdict(self.settings),
            "world": dataclasses.asdict(self.world),
            "start": self.start.fingerprint if self.start else "scratch",
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 digits) of `describe()`: the configuration. Data, code and versions: see the card."""
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def choose(kind: str, name: str, known) -> str:
    """`name` if known; otherwise a UserError that lists what exists and the nearest spelling."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"unknown {kind} {name!r}: known are {', '.join(sorted(known))}{hint}")


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(f"{where}: the name {name!r} may have small letters, digits and _ alone: rename it")


def _check_several(values: object, kind: type, where: str) -> None:
    """Raise UserError unless `values` is a tuple or list of this kind: `(one)` without a comma is none."""
    if not isinstance(values, tuple | list):
        raise UserError(f"{where} is of type {type(values).__name__}, not a tuple: write a comma, as in (one,)")
    for value in values:
        if not isinstance(value, kind):
            raise UserError(f"{where} has {value!r:.60} in it, which is not of type {kind.__name__}")


def _check_arm(arm: Arm, where: str) -> None:
    where = f"{where}, arm {arm.name!r}"
    _check_name(arm.name, where)
    if not isinstance(arm.changes, Mapping):
        raise UserError(f"{where}: changes is {arm.changes!r:.60}, not a dictionary of settings")


def _experiment_module(name: str):
    if str(ROOT) not in sys.path:  # a console script has its own folder there, not the checkout
        sys.path.append(str(ROOT))
    try:
        return importlib.import_module(f"experiments.{name}")
    except (AttributeError, ImportError, NameError, SyntaxError, TypeError, ValueError) as error:
        raise UserError(f"experiments/{name}.py: {error}") from error  # a misspelt field or name, mostly


def load_scale(name: str) -> Scale:
    """The scale called `name` in experiments/scales.py. Raises UserError for an unknown one."""
    scales = {scale.name: scale for scale in _experiment_module("scales").SCALES}
    return scales[choose("scale", name, scales)]


def experiment_names() -> list[str]:
    """Every file of experiments/ that asks a question, in alphabetical order."""
    return sorted(path.stem for path in EXPERIMENTS.glob("*.py") if path.stem not in ("__init__", "scales"))


def load_experiment(name: str) -> Experiment:
    """The experiment of experiments/<name>.py. Raises UserError where it is unknown or contradicts itself."""
    choose("experiment", name, experiment_names())
    where, module = f"experiments/{name}.py", _experiment_module(name)
    if not hasattr(module, "EXPERIMENT"):
        raise UserError(f"{where}: defines no EXPERIMENT")
    experiment = module.EXPERIMENT
    if not isinstance(experiment, Experiment):
        raise UserError(f"{where}: EXPERIMENT is a {type(experiment).__name__}, not an Experiment(...)")
    for several, kind in (("arms", Arm), ("against", str), ("claims", Claim), ("kinds", str)):
        _check_several(getattr(experiment, several), kind, f"{where}: {several}")
    choose(f"split in {where}", experiment.split, SPLITS)
    choose(f"decoding in {where}", experiment.decoding, DECODINGS)
    if experiment.name != name:
        raise UserError(f"{where}: the experiment calls itself {experiment.name!r}; name it like its file")
    _check_name(name, where)
    for arm in experiment.arms:
        _check_arm(arm, where)
    names = [arm.name for arm in experiment.arms]
    for arm in names:
        if names.count(arm) > 1:
            raise UserError(f"{where}: arm {arm!r} is defined twice")
    for against in experiment.against:
        if against not in names:
            raise UserError(f"{where}: compares against {against!r}, which is not one of its arms {names}")
    return experiment


def experiments_of(scale: Scale) -> list[Experiment]:
    """Every experiment that can be asked at the scale, in alphabetical order."""
    return [asked for asked in map(load_experiment, experiment_names()) if scale.kind in asked.kinds]


def all_arms(scale: Scale, experiments: list[Experiment]) -> dict[str, Arm]:
    """Every arm by name, the shared ones first. Raises UserError where two files define one differently."""
    arms: dict[str, Arm] = {arm.name: arm for arm in scale.shared}
    for experiment in experiments:
        for arm in experiment.arms:
            if arms.setdefault(arm.name, arm) != arm:
                where = f"experiments/{experiment.name}.py"
                raise UserError(f"{where}: arm {arm.name!r} is already defined with other settings")
    return arms


def _trainer(name: str, where: str):
    """The module of a trainer. Raises UserError where it does not exist, or lacks what a training needs of it."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # the trainer exists, and lacks a library
        raise UserError(f"unknown trainer {name!r} in {where}: no such module") from error
    if not dataclasses.is_dataclass(getattr(module, "Settings", None)):
        raise UserError(f"trainer {name!r} in {where}: the module has no dataclass Settings; baselines/grpo.py has one")
    for function in ("build", "cost_per_step") if name != FETCHED else ():
        if not hasattr(module, function):
            raise UserError(f"trainer {name!r} in {where}: the module has no {function}(); baselines/grpo.py has one")
    return module


def _kinds(field: dataclasses.Field) -> set[type]:
    """The types of a setting: its annotation's and its default's. An int may stand for a float, a list for a tuple."""
    union = typing.get_origin(field.type) in (types.UnionType, typing.Union)
    hints = typing.get_args(field.type) if union else (field.type,)
    kinds = {typing.get_origin(hint) or hint for hint in hints} | {type(field.default)}
    if typing.Any in kinds or not any(isinstance(kind, type) for kind in kinds - {types.NoneType}):
        return {object}  # the annotation says nothing, or is text
    kinds |= {int} if float in kinds else set()
    return kinds | ({tuple, list} if kinds & {tuple, list} else set())


@functools.cache
def _fields(settings_class: type) -> dict[str, tuple[Any, set[type]]]:
    """(default, types) of every setting."""
    return {field.name: (field.default, _kinds(field)) for field in dataclasses.fields(settings_class)}


def _settings(trainer: str, values: Mapping[str, Any], where: str):
    """The trainer's `Settings` with these values. Raises UserError for an unknown trainer, a typo, and another type."""
    settings_class = _trainer(trainer, where).Settings
    known = _fields(settings_class)
    for key, value in values.items():
        choose(f"setting of {trainer} in {where}", key, known)
        default, kinds = known[key]
        if type(value) not in kinds and object not in kinds:
            like = f"must be of the type of its default, {default!r}"
            raise UserError(f"setting {key} of {trainer} in {where} is {value!r}: {like}")
    return settings_class(**values)


def check_scale(scale: Scale) -> None:
    """Raise UserError where the scale has a name that is no folder's, settings of no trainer, resources of no stage."""
    _check_name(scale.name, f"scale {scale.name!r}")
    for arm in scale.shared:
        _check_arm(arm, f"scale {scale.name!r}")
    for stage in scale.resources:
        choose(f"stage in the resources of scale {scale.name!r}", stage.split("/")[0], STAGES)
    for trainer, values in scale.settings.items():
        _settings(trainer, values, f"scale {scale.name!r}")


def settings_of(scale: Scale, arm: Arm):
    """The arm's `Settings`: the scale's for its trainer, with the arm's changes. UserError for a typo."""
    changes = {name: value for name, value in arm.changes.items() if name not in scale.keeps}
    values = {**scale.settings.get(arm.trainer, {}), **changes}
    return _settings(arm.trainer, values, f"arm {arm.name!r}")


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
            trainer=arm.trainer,
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
    return ONCE if arm.once else (experiment.seeds or scale.seeds[: experiment.most_seeds])
