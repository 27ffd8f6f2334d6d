"""Reading scales and experiments from experiments/, and the refusal of what is wrong in their files."""

import difflib
import importlib
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from uniapl.config.method import check_method
from uniapl.config.model import DECODINGS, NAME, SPLITS, WORLDS, Arm, Claim, Experiment, Scale
from uniapl.errors import UserError
from uniapl.provenance import ROOT

EXPERIMENTS = ROOT / "experiments"
NO_QUESTION = ("__init__", "scales", "arms", "claims")  # files of experiments/ that ask nothing


def choose(what: str, name: str, known: Iterable[str]) -> str:
    """`name` if known; otherwise a UserError that lists what exists and the nearest spelling."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"unknown {what} {name!r}: known are {', '.join(sorted(known))}{hint}")


def check_name(name: object, where: str) -> None:
    """Raise UserError for a name that the Snakefile has no path for."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(f"{where}: the name {name!r} may have small letters, digits and _ alone: rename it")


def check_arm(arm: Arm, where: str) -> None:
    """Raise UserError for an arm whose name, method or changes are none."""
    where = f"{where}, arm {arm.name!r}"
    check_name(arm.name, where)
    check_method(arm.method, where)
    if not isinstance(arm.changes, Mapping):
        raise UserError(f"{where}: changes is {arm.changes!r:.60}, not a dictionary of settings")


def _check_several(values: object, member: type, where: str) -> None:
    """Raise UserError unless `values` is a tuple or list of this type: `(one)` without a comma is none."""
    if not isinstance(values, tuple | list):
        raise UserError(f"{where} is of type {type(values).__name__}, not a tuple: write a comma, as in (one,)")
    for value in values:
        if not isinstance(value, member):
            raise UserError(f"{where} has {value!r:.60} in it, which is not of type {member.__name__}")


def _place(error: Exception) -> str:
    """` (FILE:LINE)` of the innermost frame, or of the line that is no Python."""
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        file, line = frame.filename, frame.lineno
    if not file or file.startswith("<"):
        return ""
    path = Path(file)
    return f" ({path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line})"


def _experiment_module(name: str) -> ModuleType:
    if str(ROOT) not in sys.path:  # a console script has its own folder there, not the checkout
        sys.path.append(str(ROOT))
    try:
        return importlib.import_module(f"experiments.{name}")
    except (AttributeError, ImportError, KeyError, NameError, SyntaxError, TypeError, ValueError) as error:
        what = error.msg if isinstance(error, SyntaxError | ImportError) else str(error)
        raise UserError(f"experiments/{name}.py: {what}{_place(error)}") from error


def load_scale(name: str) -> Scale:
    """The scale called `name` in experiments/scales.py. Raises UserError for an unknown one."""
    scales = {scale.name: scale for scale in _experiment_module("scales").SCALES}
    return scales[choose("scale", name, scales)]


def experiment_names() -> list[str]:
    """Every file of experiments/ that asks a question, in alphabetical order."""
    return sorted(path.stem for path in EXPERIMENTS.glob("*.py") if path.stem not in NO_QUESTION)


def load_experiment(name: str) -> Experiment:
    """The experiment of experiments/<name>.py. Raises UserError where it is unknown or contradicts itself."""
    choose("experiment", name, experiment_names())
    where, module = f"experiments/{name}.py", _experiment_module(name)
    if not hasattr(module, "EXPERIMENT"):
        raise UserError(f"{where}: defines no EXPERIMENT")
    experiment = module.EXPERIMENT
    if not isinstance(experiment, Experiment):
        raise UserError(f"{where}: EXPERIMENT is a {type(experiment).__name__}, not an Experiment(...)")
    for several, member in (("arms", Arm), ("against", str), ("claims", Claim), ("worlds", str)):
        _check_several(getattr(experiment, several), member, f"{where}: {several}")
    choose(f"split in {where}", experiment.split, SPLITS)
    choose(f"decoding in {where}", experiment.decoding, DECODINGS)
    if not experiment.worlds:
        raise UserError(f"{where}: states no worlds: add worlds=(...,), of {', '.join(WORLDS)}, in which it is asked")
    for world in experiment.worlds:
        choose(f"world in {where}", world, WORLDS)
    if experiment.name != name:
        raise UserError(f"{where}: the experiment calls itself {experiment.name!r}; name it like its file")
    check_name(name, where)
    for arm in experiment.arms:
        check_arm(arm, where)
    names = [arm.name for arm in experiment.arms]
    for arm in names:
        if names.count(arm) > 1:
            raise UserError(f"{where}: arm {arm!r} is defined twice")
    for against in experiment.against:
        if against not in names:
            raise UserError(f"{where}: compares against {against!r}, which is not one of its arms {names}")
    return experiment
