"""Reading scales and experiments from experiments/, and the refusal of what is wrong in their files."""

import difflib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from uniapl.config.method import check_method
from uniapl.config.model import NAME, SPLITS, WORLDS, Arm, Claim, Experiment, Scale, decodings_of
from uniapl.config.repository import experiment_files, join_packages, repository
from uniapl.errors import UserError
from uniapl.provenance import ROOT

EXPERIMENTS = ROOT / "experiments"
OTHER_SEEDS = re.compile(r"(?P<scale>\w+)_from(?P<first>\d+)")
NO_QUESTION = ("__init__", "scales", "arms", "claims")  # files of experiments/ that ask nothing


def choose(what: str, name: str, known: Iterable[str]) -> str:
    """`name` if known; otherwise a UserError that lists what exists and the nearest spelling."""
    if name in known:
        return name
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    which = f"known are {', '.join(known)}" if known else "none is stated"
    raise UserError(f"unknown {what} {name!r}: {which}{hint}")


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


def _place_of(error: Exception) -> str:
    """` (FILE:LINE)` of the innermost frame, or of the line that is no Python."""
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        file, line = frame.filename, frame.lineno
    if not file or file.startswith("<"):
        return ""
    path = Path(file)
    inside = next((root for root in (repository(), ROOT) if root and path.is_relative_to(root)), None)
    return f" ({path.relative_to(inside) if inside else path.name}:{line})"


def _import(file: str | Path, load: Callable[[], ModuleType]) -> ModuleType:
    """The module that `load` imports from this file. What goes wrong in it is a UserError with file and line."""
    if not EXPERIMENTS.is_dir():
        raise UserError(f"{ROOT}: has no experiments/: scales and experiments are the checkout's, run this there")
    if str(ROOT) not in sys.path:  # a console script has its own folder there, not the checkout
        sys.path.append(str(ROOT))
    try:
        join_packages()
        return load()
    except UserError:
        raise
    except (AttributeError, ImportError, KeyError, NameError, SyntaxError, TypeError, ValueError) as error:
        what = error.msg if isinstance(error, SyntaxError | ImportError) else str(error)
        raise UserError(f"{file}: {what}{_place_of(error)}") from error


def _experiment_module(name: str) -> ModuleType:
    file = experiment_files().get(name, f"experiments/{name}.py")
    return _import(file, lambda: importlib.import_module(f"experiments.{name}"))


def scales_of_repository() -> dict[str, Scale]:
    """The scales of the repository's scales.py, where there is a repository. Raises UserError for what is none."""
    if not repository():
        return {}
    file = repository() / "scales.py"

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location("scales_of_the_repository", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    scales = getattr(_import(file, load), "SCALES", None)
    _check_several(scales, Scale, f"{file}: SCALES")
    return {scale.name: scale for scale in scales}


def with_other_seeds(scale: Scale, first: int) -> Scale:
    """The scale SCALE_fromN: as many seeds, the least of them N, so that its trainings are none of the scale's own.

    It is asked the experiments alone, not the general benchmarks. Raises UserError where seeds would be shared.
    """
    seeds = tuple(seed - scale.seeds[0] + first for seed in scale.seeds)
    if shared := set(seeds) & set(scale.seeds):
        raise UserError(f"scale {scale.name}_from{first}: seed {min(shared)} is one of {scale.name}'s own: begin later")
    return replace(scale, name=f"{scale.name}_from{first}", seeds=seeds, general=())


def load_scale(name: str) -> Scale:
    """The scale called `name` in experiments/scales.py, or in the repository's scales.py; SCALE_fromN is one of them
    with other seeds.

    Raises UserError for an unknown one, and for one that both have: their results would lie in one folder.
    """
    scales = {scale.name: scale for scale in _experiment_module("scales").SCALES}
    of_repository = scales_of_repository()
    if clashes := sorted(of_repository.keys() & scales.keys()):
        raise UserError(f"{repository()}/scales.py: the checkout has a scale {clashes[0]!r} too: rename yours")
    scales |= of_repository
    rerun = OTHER_SEEDS.fullmatch(name)
    if rerun and name not in scales and rerun["scale"] in scales:
        return with_other_seeds(scales[rerun["scale"]], int(rerun["first"]))
    return scales[choose("scale", name, scales)]


def experiment_names() -> list[str]:
    """Every file of experiments/, and of the repository's, that asks a question, in alphabetical order."""
    names = {path.stem for path in EXPERIMENTS.glob("*.py")} | experiment_files().keys()
    return sorted(names.difference(NO_QUESTION))


def load_experiment(name: str) -> Experiment:
    """The experiment of experiments/<name>.py. Raises UserError where it is unknown or contradicts itself."""
    choose("experiment", name, experiment_names())
    where, module = str(experiment_files().get(name, f"experiments/{name}.py")), _experiment_module(name)
    if not hasattr(module, "EXPERIMENT"):
        raise UserError(f"{where}: defines no EXPERIMENT")
    experiment = module.EXPERIMENT
    if not isinstance(experiment, Experiment):
        raise UserError(f"{where}: EXPERIMENT is a {type(experiment).__name__}, not an Experiment(...)")
    for several, member in (("arms", Arm), ("against", str), ("claims", Claim), ("worlds", str)):
        _check_several(getattr(experiment, several), member, f"{where}: {several}")
    choose(f"split in {where}", experiment.split, SPLITS)
    choose(f"decoding in {where}", experiment.decoding, decodings_of(experiment.split))
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
    for claim in experiment.claims:  # now, not after its trainings
        for arm in filter(None, (claim.arm, claim.against)):
            choose(f"arm of claim {claim.id!r} in {where}", arm, names)
    return experiment
